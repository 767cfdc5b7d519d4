import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Cancel, Clock } from '../clock.ts';
import type { Lifecycle } from './lifecycle.ts';

/** A connection that idles keeps a closed server alive, for as long as its keep-alive lasts. */
const IDLE_CHECK_MS = 200;

/** Connections that the system takes before we do; it has a bound of its own. Whom it cannot take tries again in 1, 3, 7 s. */
const BACKLOG = 4096;

/** The listening side of the server: opens the port, and closes it without cutting an answer. */
export class Listener {
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #lifecycle: Lifecycle;
  readonly #onError: (error: Error) => void;
  readonly #sockets = new Set<Socket>();
  #closed: Promise<void> | null = null;

  /** @param parts `onError` hears of connections that the system cannot give, such as for want of file handles */
  constructor(
    server: Server,
    parts: { readonly clock: Clock; readonly lifecycle: Lifecycle; readonly onError: (error: Error) => void },
  ) {
    this.#server = server;
    this.#clock = parts.clock;
    this.#lifecycle = parts.lifecycle;
    this.#onError = parts.onError;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  listen(at: { readonly host: string; readonly port: number }): Promise<{ host: string; port: number }> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port: at.port, host: at.host, backlog: BACKLOG }, () => {
        this.#server.off('error', reject).on('error', this.#onError);
        this.#lifecycle.serve();
        const { address, port } = this.#server.address() as AddressInfo;
        resolve({ host: address, port });
      });
    });
  }

  startDraining(): void {
    this.#closed ??= this.#drain();
  }

  async close(graceMs: number): Promise<void> {
    this.startDraining();
    const cut = (): void => this.#server.closeAllConnections();
    const cancel = graceMs > 0 ? this.#clock.schedule(graceMs, cut) : cut();
    await this.#closed;
    cancel?.();
  }

  #drain(): Promise<void> {
    this.#lifecycle.drain();
    let cancel: Cancel = () => {};
    const closeIdle = (): void => {
      this.#server.closeIdleConnections();
      cancel = this.#clock.schedule(IDLE_CHECK_MS, () => {
        this.#closeSilent();
        closeIdle();
      });
    };
    return new Promise((resolve) => {
      this.#server.close(() => {
        cancel();
        resolve();
      });
      closeIdle();
    });
  }

  /**
   * To Node a connection on which nothing was ever sent is not idle but about to send. Clients open such ones in advance,
   * and would hold up the end until the timeout for headers.
   */
  #closeSilent(): void {
    for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy();
  }
}
