import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { Cancel, Clock } from '../clock.ts';
import type { ClientReply } from '../proxy/exchange.ts';
import type { Connection } from './connections.ts';
import { WriteStall } from './write-stall.ts';

interface ReplyParts {
  readonly clock: Clock;
  readonly connection: Connection;
  readonly writeStallMs: number;
  /** Headers that are known only when the head goes out, such as `connection: close` of a server that shuts down. */
  readonly lateHeaders: () => Readonly<Record<string, string>>;
}

/**
 * The answer to one request, written past Fastify.
 *
 * waiting: nothing decided. headed: status and headers are fixed; they leave with the first bytes, so that a whole answer
 * gets its length. flowing: they have left. ended: everything is handed over. From each of them: gone, when the client
 * has closed, half-closed, or accepts nothing; then nothing is written any more.
 */
export class RawClientReply implements ClientReply {
  readonly #reply: FastifyReply;
  readonly #raw: ServerResponse;
  readonly #parts: ReplyParts;
  readonly #stall: WriteStall;
  readonly #goneListeners: (() => void)[] = [];
  readonly #forgetSocket: Cancel;
  #isGone = false;
  #isEnded = false;
  #head: { readonly status: number; readonly headers: Readonly<Record<string, string>> } | null = null;

  constructor(reply: FastifyReply, parts: ReplyParts) {
    this.#reply = reply;
    this.#raw = reply.raw;
    this.#parts = parts;
    this.#stall = new WriteStall(reply.raw, {
      clock: parts.clock,
      limitMs: parts.writeStallMs,
      onStall: () => parts.connection.socket.destroy(),
    });
    const lost = (): void => this.#lose();
    this.#forgetSocket = parts.connection.onGone(lost);
    this.#raw.once('close', lost);
    this.#raw.once('finish', () => this.#forget());
    // A write that races with the client's leaving reports here; 'close' tells the same.
    this.#raw.on('error', lost);
    if (parts.connection.socket.destroyed) this.#lose();
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get isHeadSent(): boolean {
    return this.#head !== null;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get unsentBytes(): number {
    return this.#raw.writableLength;
  }

  onGone(listener: () => void): void {
    if (this.#isGone) listener();
    else this.#goneListeners.push(listener);
  }

  onDrain(listener: () => void): void {
    this.#raw.on('drain', listener);
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    this.#reply.hijack();
    this.#head = { status, headers };
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.#isGone || this.#isEnded) return false;
    this.#sendHead({});
    const hasRoom = this.#raw.write(chunk);
    if (!hasRoom) this.#stall.watch();
    return hasRoom;
  }

  end(chunk?: Uint8Array | string): void {
    if (this.#isGone || this.#isEnded) return;
    this.#isEnded = true;
    this.#sendHead({ 'content-length': String(chunk === undefined ? 0 : Buffer.byteLength(chunk)) });
    this.#raw.end(chunk);
    this.#stall.watch();
  }

  /** Cuts the connection of an answer that can neither go on nor be completed. Later: what was written may still leave. */
  abandon(): void {
    this.#parts.clock.schedule(0, () => this.#parts.connection.socket.destroy());
  }

  /** Fastify keeps headers of its own, CORS among them, which a raw head would lose. */
  #sendHead(lengthHeader: Readonly<Record<string, string>>): void {
    if (this.#raw.headersSent || !this.#head) return;
    const headers: OutgoingHttpHeaders = {
      ...(this.#reply.getHeaders() as OutgoingHttpHeaders),
      ...lengthHeader,
      ...this.#head.headers,
      ...this.#parts.lateHeaders(),
    };
    this.#raw.writeHead(this.#head.status, headers);
  }

  #lose(): void {
    if (this.#isGone || this.#raw.writableFinished) return;
    this.#isGone = true;
    this.#forget();
    for (const listener of this.#goneListeners.splice(0)) listener();
  }

  #forget(): void {
    this.#forgetSocket();
    this.#stall.stop();
  }
}
