import { once } from 'node:events';
import { createServer, connect as netConnect, type Server, type Socket } from 'node:net';

/**
 * A TCP relay on loopback that can lose its peers without telling: `freeze` keeps every connection open and carries
 * nothing, as a firewall does that has forgotten them.
 */
export class HalfOpenProxy {
  readonly #server: Server;
  readonly #target: number;
  readonly #pairs = new Set<{ readonly client: Socket; readonly upstream: Socket }>();
  /** What was read before a freeze took hold. */
  #backlog: (() => void)[] = [];
  #isFrozen = false;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  /** Relays to `target`, a port on loopback. */
  static async listen(target: number): Promise<HalfOpenProxy> {
    const proxy = new HalfOpenProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return address.port;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Carries nothing any more, in either direction, closes included; new connections are accepted and ignored. */
  freeze(): void {
    this.#isFrozen = true;
    for (const { client, upstream } of this.#pairs) {
      client.pause();
      upstream.pause();
    }
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const carry of this.#backlog.splice(0)) carry();
    for (const { client, upstream } of this.#pairs) {
      client.resume();
      upstream.resume();
    }
  }

  /** Ends the sending side towards the client and leaves the other direction open. */
  halfCloseClients(): void {
    for (const { client } of this.#pairs) client.end();
  }

  resetClients(): void {
    for (const { client } of this.#pairs) client.resetAndDestroy();
  }

  async close(): Promise<void> {
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    const upstream = netConnect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true });
    const pair = { client, upstream };
    this.#pairs.add(pair);
    this.#relay(client, upstream);
    this.#relay(upstream, client);
    client.on('close', () => {
      this.#pairs.delete(pair);
      if (!this.#isFrozen) upstream.destroy();
    });
    if (!this.#isFrozen) return;
    client.pause();
    upstream.pause();
  }

  #relay(from: Socket, to: Socket): void {
    from.on('data', (bytes) => this.#carry(() => to.write(bytes)));
    from.on('end', () => this.#carry(() => to.end()));
    from.on('error', () => this.#carry(() => to.destroy()));
  }

  #carry(action: () => void): void {
    if (this.#isFrozen) this.#backlog.push(action);
    else action();
  }
}
