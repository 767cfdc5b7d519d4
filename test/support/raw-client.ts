import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A client without manners: uploads in pieces, pipelines, half-closes, stops reading, resets. */
export class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  /** Joined only when looked at: a client may receive much before anybody does. */
  #received: Buffer[] = [];
  #isEnded = false;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      this.#received.push(bytes);
      this.#changed();
    });
    socket.on('end', () => this.#ended());
    socket.on('close', () => this.#ended());
  }

  /** To a port on loopback. */
  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Everything that has come, head and framing included. */
  get text(): string {
    const joined = Buffer.concat(this.#received);
    this.#received = [joined];
    return joined.toString('latin1');
  }

  /** Resolves when the bytes have been handed to the kernel. */
  send(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  /** A JSON POST as bytes; several in one `send` are pipelined. */
  static post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): string {
    const text = JSON.stringify(body);
    const fields = { host: '127.0.0.1', 'content-type': 'application/json', ...headers };
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    return `POST ${path} HTTP/1.1\r\n${lines.join('')}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
  }

  /** Resolves when `condition` holds for all that has come; rejects when nothing more can come. */
  async until(condition: (text: string) => boolean): Promise<string> {
    while (!condition(this.text)) {
      if (this.#isEnded) throw new Error(`the connection ended after: ${this.text}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.text;
  }

  /** All that comes until the other side ends. */
  async rest(): Promise<string> {
    while (!this.#isEnded) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.text;
  }

  stopReading(): void {
    this.socket.pause();
  }

  readOn(): void {
    this.socket.resume();
  }

  /** FIN: nothing more will be sent, but answers are still read. */
  halfClose(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  close(): void {
    this.socket.destroy();
  }

  #ended(): void {
    this.#isEnded = true;
    this.#changed();
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
