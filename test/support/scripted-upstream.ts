import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** One request as it came over the wire, and the means to answer it with exact bytes. */
export interface Exchange {
  /** Request line and headers, as sent, without the blank line. */
  readonly head: string;
  readonly method: string;
  readonly target: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** The number of its connection, from 1. */
  readonly connection: number;
  /** Resolves when the peer has closed or reset its connection. */
  readonly gone: Promise<void>;
  readonly socket: Socket;
  /** Resolves when the bytes have been handed to the kernel. */
  write(bytes: string | Buffer): Promise<void>;
  end(bytes?: string | Buffer): void;
  /** An RST instead of a FIN. */
  reset(): void;
}

export type Script = (exchange: Exchange) => void | Promise<void>;

export interface Tls {
  readonly key: string;
  readonly cert: string;
}

/** A real server on loopback that answers each request by a script: exact bytes, resets, silence. */
export class ScriptedUpstream {
  readonly exchanges: Exchange[] = [];
  readonly sockets = new Set<Socket>();
  connections = 0;
  script: Script;
  readonly #server: Server;
  readonly #scheme: string;
  #waiting: (() => void)[] = [];

  private constructor(script: Script, tls: Tls | null) {
    this.script = script;
    this.#scheme = tls ? 'https' : 'http';
    const accept = (socket: Socket): void => this.#accept(socket);
    this.#server = tls ? createTlsServer({ key: tls.key, cert: tls.cert }, accept) : createServer(accept);
  }

  static async listen(script: Script = () => undefined, tls: Tls | null = null): Promise<ScriptedUpstream> {
    const upstream = new ScriptedUpstream(script, tls);
    upstream.#server.listen(0, '127.0.0.1');
    await once(upstream.#server, 'listening');
    return upstream;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return address.port;
  }

  get origin(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  /** The n-th request, from 1, as soon as it is complete. */
  async exchange(number = 1): Promise<Exchange> {
    await this.until(() => this.exchanges.length >= number);
    const found = this.exchanges[number - 1];
    if (!found) throw new Error(`no exchange ${number}`);
    return found;
  }

  /** Resolves once `condition` holds; looked at after each connection, request and close. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #accept(socket: Socket): void {
    const connection = ++this.connections;
    this.sockets.add(socket);
    let pieces: Buffer[] = [];
    let size = 0;
    let neededBytes = 0;
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.sockets.delete(socket);
      this.#changed();
    });
    socket.on('data', (chunk: Buffer) => {
      pieces.push(chunk);
      size += chunk.length;
      // Joining at every piece would be quadratic for a large upload.
      if (Number.isFinite(neededBytes) && size < neededBytes) return;
      let received: Buffer = Buffer.concat(pieces);
      neededBytes = bytesOfRequest(received);
      while (received.length >= neededBytes) {
        this.#receive(received.subarray(0, neededBytes), socket, { connection, gone });
        received = received.subarray(neededBytes);
        neededBytes = bytesOfRequest(received);
      }
      pieces = [received];
      size = received.length;
    });
    this.#changed();
  }

  #receive(request: Buffer, socket: Socket, about: Pick<Exchange, 'connection' | 'gone'>): void {
    const exchange = { ...requestParts(request), ...answering(socket), ...about, socket };
    this.exchanges.push(exchange);
    this.#changed();
    Promise.resolve(this.script(exchange)).catch((error: Error) => socket.destroy(error));
  }
}

type RequestParts = Pick<Exchange, 'head' | 'method' | 'target' | 'headers' | 'body'>;

/** Length of the request that `received` begins with; infinite until its head is complete. */
function bytesOfRequest(received: Buffer): number {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return Number.POSITIVE_INFINITY;
  const length = /\r\ncontent-length: *(\d+)/i.exec(received.toString('latin1', 0, end))?.[1] ?? '0';
  return end + 4 + Number(length);
}

function requestParts(request: Buffer): RequestParts {
  const end = request.indexOf('\r\n\r\n');
  const head = request.toString('latin1', 0, end);
  const [line = '', ...fields] = head.split('\r\n');
  const [method = '', target = ''] = line.split(' ');
  const headers = new Map(fields.map((field) => splitField(field)));
  return { head, method, target, headers, body: request.subarray(end + 4) };
}

function splitField(field: string): [string, string] {
  const colon = field.indexOf(':');
  return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
}

function answering(socket: Socket): Pick<Exchange, 'write' | 'end' | 'reset'> {
  return {
    write: (bytes) => new Promise((resolve) => socket.write(bytes, () => resolve())),
    end: (bytes = '') => {
      socket.end(bytes);
    },
    reset: () => {
      socket.resetAndDestroy();
    },
  };
}

/** A whole answer with its length. */
export function answer(body: string | Buffer, headers: Readonly<Record<string, string>> = {}, status = 200): Buffer {
  const bytes = Buffer.from(body);
  const fields = { 'content-type': 'application/json', ...headers, 'content-length': String(bytes.length) };
  return Buffer.concat([Buffer.from(head(fields, status)), bytes]);
}

/** The head of an answer; without a length its body ends with the connection unless `transfer-encoding` says else. */
export function head(headers: Readonly<Record<string, string>> = {}, status = 200): string {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Whatever\r\n${fields.join('')}\r\n`;
}

/** One piece of a chunked body; an empty one ends it. */
export function chunk(body: string | Buffer): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

export const CHUNKED = { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' };
