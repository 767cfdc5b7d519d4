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
    let received: Buffer = Buffer.alloc(0);
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.sockets.delete(socket);
      this.#changed();
    });
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (let request = takeRequest(received); request; request = takeRequest(received)) {
        received = request.rest;
        const exchange = { ...request.parts, ...answering(socket), connection, gone, socket };
        this.exchanges.push(exchange);
        this.#changed();
        Promise.resolve(this.script(exchange)).catch((error: Error) => socket.destroy(error));
      }
    });
    this.#changed();
  }
}

type RequestParts = Pick<Exchange, 'head' | 'method' | 'target' | 'headers' | 'body'>;

function takeRequest(received: Buffer): { parts: RequestParts; rest: Buffer } | null {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = received.toString('latin1', 0, end);
  const [line = '', ...fields] = head.split('\r\n');
  const [method = '', target = ''] = line.split(' ');
  const headers = new Map(fields.map((field) => splitField(field)));
  const length = Number(headers.get('content-length') ?? 0);
  const bodyEnd = end + 4 + length;
  if (received.length < bodyEnd) return null;
  const body = received.subarray(end + 4, bodyEnd);
  return { parts: { head, method, target, headers, body }, rest: received.subarray(bodyEnd) };
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
