import { hash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { ProxyError } from '../../src/errors.ts';
import { createServer, type HttpServer } from '../../src/http/server.ts';
import type { ServerSettings, Services } from '../../src/http/services.ts';
import type { RequestRefusal, UnexpectedFailure } from '../../src/proxy/events.ts';
import type { ClientReply, ClientRequest } from '../../src/proxy/exchange.ts';
import { cutClientText } from '../../src/proxy/scrub.ts';

export const SETTINGS: ServerSettings = {
  bodyLimitBytes: 1024 * 1024,
  bodyMemoryBytes: 4 * 1024 * 1024,
  maxConnections: 100,
  timeouts: { headersMs: 15_000, requestMs: 120_000, keepAliveMs: 75_000, writeStallMs: 60_000 },
  compression: 'off',
  corsOrigins: [],
  hasDebugHeaders: true,
  openTo: 'loopback',
};

export const CLIENT_KEY = 'client-key-of-web';

export const CLIENTS = new Map([[hash('sha256', CLIENT_KEY, 'hex'), { name: 'web' }]]);

/** Waits until something is so, however slow the machine. */
export function eventually<T>(look: () => T) {
  return expect.poll(look, { timeout: 20_000, interval: 5 });
}

/** What the stand-in for the use case does with a request; by default it answers with the body's length. */
export type Chat = (request: ClientRequest, reply: ClientReply) => Promise<void> | void;

export function answer(reply: ClientReply, body: unknown): void {
  reply.head(200, { 'content-type': 'application/json' });
  reply.end(JSON.stringify(body));
}

export interface TestServer {
  readonly server: HttpServer;
  readonly port: number;
  readonly url: string;
  readonly refusals: RequestRefusal[];
  readonly failures: UnexpectedFailure[];
}

interface Options {
  readonly settings?: Partial<ServerSettings>;
  readonly services?: Partial<Services>;
  readonly chat?: Chat;
}

const MODEL = { id: 'org/gpt-4o', object: 'model', created: 0, owned_by: 'sluice' } as const;

/** A server on a free loopback port, closed when the test ends. */
export async function startServer({ settings = {}, services = {}, chat }: Options = {}): Promise<TestServer> {
  const refusals: RequestRefusal[] = [];
  const failures: UnexpectedFailure[] = [];
  let ids = 0;
  const server = await createServer(
    { ...SETTINGS, ...settings },
    {
      clock: systemClock,
      events: { requestRefused: (refusal) => refusals.push(refusal), failed: (failure) => failures.push(failure) },
      version: '1.2.3',
      clients: null,
      providers: [],
      serveRaw: (_request, reply) => Promise.resolve(answer(reply, {})),
      randomId: () => `r${++ids}`,
      serve: async (request, reply) => {
        if (chat) await chat(request, reply);
        else answer(reply, { bytes: request.body.length, client: request.client.name });
      },
      exampleModel: () => MODEL.id,
      listModels: () => [MODEL],
      findModel: (_client, id) => {
        if (id === MODEL.id) return MODEL;
        throw new ProxyError('model_not_found', `No model ${cutClientText(id)}.`, { param: 'model' });
      },
      queueView: (client) => ({ client: client.name, models: [] }),
      health: () => ({ keys: 2 }),
      ...services,
    },
  );
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close({ graceMs: 0 }));
  return { server, port, url: `http://127.0.0.1:${port}`, refusals, failures };
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A socket on which tests write bytes as they like, and read answers as they come. */
export class RawClient {
  readonly socket: Socket;
  /** Everything received and not yet taken as an answer. */
  received = Buffer.alloc(0);
  #wake: () => void = () => {};
  #isClosed = false;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.#wake();
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
    onTestFinished(() => void this.socket.destroy());
  }

  write(...parts: (string | Uint8Array)[]): this {
    for (const part of parts) this.socket.write(part);
    return this;
  }

  /** The next whole answer; null when the connection closed before there was one. */
  async answer(): Promise<RawAnswer | null> {
    for (;;) {
      const parsed = parseAnswer(this.received, this.#isClosed);
      if (parsed) {
        this.received = this.received.subarray(parsed.length);
        return parsed.answer;
      }
      if (this.#isClosed) return null;
      await this.#more();
    }
  }

  /** Waits until the received bytes hold `text`. */
  async until(text: string): Promise<void> {
    while (!this.received.includes(text) && !this.#isClosed) await this.#more();
  }

  async closed(): Promise<void> {
    while (!this.#isClosed) await this.#more();
  }

  /** Waits for bytes or the end; an 'error' always comes before the latter. */
  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function parseAnswer(bytes: Buffer, isClosed: boolean): { answer: RawAnswer; length: number } | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const headers = new Map(
    lines.map((line) => [line.split(':')[0]?.toLowerCase() ?? '', line.replace(/^[^:]*: */, '')]),
  );
  const status = Number(statusLine.split(' ')[1]);
  const start = headEnd + 4;
  if (status < 200 || status === 204) return { answer: { status, headers, body: '' }, length: start };
  if (headers.get('transfer-encoding') === 'chunked') {
    const end = bytes.indexOf('0\r\n\r\n', start);
    if (end < 0 && !isClosed) return null;
    const stop = end < 0 ? bytes.length : end + 5;
    return { answer: { status, headers, body: unchunk(bytes.toString('utf8', start, stop)) }, length: stop };
  }
  const stop = start + Number(headers.get('content-length') ?? 0);
  if (bytes.length < stop) return null;
  return { answer: { status, headers, body: bytes.toString('utf8', start, stop) }, length: stop };
}

/** Good enough for ASCII bodies. */
function unchunk(text: string): string {
  let rest = text;
  let body = '';
  for (;;) {
    const size = Number.parseInt(rest, 16);
    const start = rest.indexOf('\r\n') + 2;
    if (!(size > 0)) return body;
    body += rest.slice(start, start + size);
    rest = rest.slice(start + size + 2);
  }
}

export interface Head {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A request as bytes; by default a chat request with a small JSON body. */
export function requestText({ method = 'POST', path = '/v1/chat/completions', headers = {}, body }: Head = {}): string {
  const text = body ?? (method === 'POST' ? '{"model":"gpt-4o"}' : '');
  const all: Record<string, string> = {
    host: 'localhost',
    ...(text === '' ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${text}`;
}

export function errorOf(got: RawAnswer | null): Record<string, unknown> {
  return (JSON.parse(got?.body ?? '{}') as { error?: Record<string, unknown> }).error ?? {};
}
