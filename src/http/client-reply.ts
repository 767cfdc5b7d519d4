import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { Cancel, Clock } from '../clock.ts';
import type { ClientReply } from '../proxy/exchange.ts';
import { type CompressionMode, chooseEncoding, createEncoder, type Encoder } from './compression.ts';
import type { Connection } from './connections.ts';
import { sendable } from './sendable.ts';
import { WriteStall } from './write-stall.ts';

interface ReplyParts {
  readonly clock: Clock;
  readonly connection: Connection;
  readonly writeStallMs: number;
  readonly compression: CompressionMode;
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
  #isHeaded = false;
  /** Null again once it has left: a stream of minutes has no use for it. */
  #head: { readonly status: number; readonly headers: Readonly<Record<string, string>> } | null = null;
  #encoder: Encoder | null = null;
  #drainListeners: (() => void)[] = [];

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
    this.#raw.on('drain', () => this.#drained());
    if (parts.connection.socket.destroyed) this.#lose();
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get isHeadSent(): boolean {
    return this.#isHeaded;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get unsentBytes(): number {
    const encoding = this.#encoder ? this.#encoder.writableLength + this.#encoder.readableLength : 0;
    return encoding + this.#raw.writableLength;
  }

  onGone(listener: () => void): void {
    if (this.#isGone) listener();
    else this.#goneListeners.push(listener);
  }

  onDrain(listener: () => void): void {
    this.#drainListeners.push(listener);
  }

  processing(): void {
    const { httpVersionMajor, httpVersionMinor } = this.#reply.request.raw;
    // Older clients take a 1xx for the answer itself (RFC 9110, 15.2).
    const knowsInterim = httpVersionMajor > 1 || httpVersionMinor >= 1;
    if (knowsInterim && !(this.#isGone || this.#isHeaded)) this.#raw.writeProcessing();
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    this.#reply.hijack();
    this.#isHeaded = true;
    this.#head = { status, headers: sendable(headers) };
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.#isGone || this.#isEnded) return false;
    this.#sendHead(null);
    const hasRoom = (this.#encoder ?? this.#raw).write(chunk);
    if (!hasRoom) this.#stall.watch();
    return hasRoom;
  }

  end(chunk?: Uint8Array | string): void {
    if (this.#isGone || this.#isEnded) return;
    this.#isEnded = true;
    this.#sendHead(chunk === undefined ? 0 : Buffer.byteLength(chunk));
    (this.#encoder ?? this.#raw).end(chunk);
    // Mostly the kernel has taken it all by now, and a timer for each answer would be for nothing.
    if (this.unsentBytes > 0) this.#stall.watch();
  }

  /** Cuts the connection of an answer that can neither go on nor be completed. Later: what was written may still leave. */
  abandon(): void {
    this.#parts.clock.schedule(0, () => this.#parts.connection.socket.destroy());
  }

  /** @param bytes of the whole body; null when it comes in pieces */
  #sendHead(bytes: number | null): void {
    const head = this.#head;
    if (head === null) return;
    this.#head = null;
    // Fastify keeps headers of its own, CORS among them, which a raw head would lose.
    const headers: OutgoingHttpHeaders = {
      ...(this.#reply.getHeaders() as OutgoingHttpHeaders),
      ...head.headers,
      ...this.#parts.lateHeaders(),
    };
    this.#encode(headers, bytes);
    if (bytes !== null && !this.#encoder) headers['content-length'] = bytes;
    this.#raw.writeHead(head.status, headers);
  }

  /** Puts a compressor between the use case and the socket, if mode, client and answer want one. */
  #encode(headers: OutgoingHttpHeaders, bytes: number | null): void {
    const { compression } = this.#parts;
    if (compression === 'off') return;
    const accepted = String(this.#reply.request.headers['accept-encoding'] ?? '');
    const encoding = chooseEncoding(compression, accepted, {
      contentType: String(headers['content-type'] ?? ''),
      bytes,
    });
    headers['vary'] = [headers['vary'] ?? [], 'accept-encoding'].flat().join(', ');
    if (!encoding) return;
    headers['content-encoding'] = encoding;
    delete headers['content-length'];
    this.#encoder = createEncoder(encoding);
    this.#encoder.on('drain', () => this.#drained());
    this.#encoder.pipe(this.#raw);
  }

  #drained(): void {
    for (const listener of this.#drainListeners) listener();
  }

  #lose(): void {
    if (this.#isGone || this.#raw.writableFinished) return;
    this.#isGone = true;
    this.#encoder?.destroy();
    this.#forget();
    for (const listener of this.#goneListeners.splice(0)) listener();
  }

  #forget(): void {
    this.#forgetSocket();
    this.#stall.stop();
  }
}
