import type { Clock } from '../clock.ts';
import type { ErrorBody, ProxyError } from '../errors.ts';
import { Keepalive } from '../streaming/keepalive.ts';
import type { ByteSink } from '../streaming/paced-sink.ts';
import { KEEPALIVE_COMMENT } from '../streaming/relay.ts';
import type { ClientReply } from './exchange.ts';

/** Proxies between us and the client must neither hold events back nor change them. */
const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

type Headers = Readonly<Record<string, string>>;

export interface AnswerTerms {
  readonly clock: Clock;
  readonly requestId: string;
  /** What the head of a stream says that begins with a comment, before anything has answered. */
  readonly earlyHeaders: () => Headers;
  /** An error as the last event of the client's format, with its blank line. */
  readonly errorEvent: (body: ErrorBody, status: number) => string;
}

/**
 * The answer to one request, over all its attempts.
 *
 *     silent ──(nothing for keepaliveMs)──▶ kept alive: a 200 with comments, which promises nothing
 *        ├──────────▶ begun: something of an answer is out, no other attempt can take over ◀── kept alive
 *        └──▶ ended                                                └──▶ ended
 */
export class ClientAnswer implements ByteSink {
  readonly #reply: ClientReply;
  readonly #terms: AnswerTerms;
  #keepalive: Keepalive | null = null;
  #onGone: (() => void) | null = null;
  #isEnded = false;
  #firstByteAt: number | null = null;

  constructor(reply: ClientReply, terms: AnswerTerms) {
    this.#reply = reply;
    this.#terms = terms;
    reply.onGone(() => {
      this.#keepalive?.stop();
      this.#onGone?.();
    });
  }

  get isGone(): boolean {
    return this.#reply.isGone;
  }

  /** The status is decided; what goes wrong from here on is told in band. */
  get isHeadSent(): boolean {
    return this.#reply.isHeadSent;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** `clock.now()` when the first byte of an answer was written, comments aside; null before. */
  get firstByteAt(): number | null {
    return this.#firstByteAt;
  }

  get unsentBytes(): number {
    return this.#reply.unsentBytes;
  }

  /** Who is to be told when the client leaves: one at a time, and at once if it has left. */
  whenGone(listener: (() => void) | null): void {
    this.#onGone = listener;
    if (this.isGone) listener?.();
  }

  /** The answer is a stream: from now on a client that has received nothing for `quietMs` gets a comment. */
  keepAlive(quietMs: number): void {
    if (!this.isGone) this.#keepalive = new Keepalive(this.#terms.clock, quietMs, () => this.#comment());
  }

  beginStream(headers: Headers): void {
    if (!this.isHeadSent) this.#reply.head(200, { ...headers, ...STREAM_HEADERS });
  }

  beginWhole(headers: Headers): void {
    this.beginAs(200, { ...headers, 'content-type': 'application/json' });
  }

  /** A success of any kind. */
  beginAs(status: number, headers: Headers): void {
    this.#reply.head(status, headers);
  }

  write(chunk: Uint8Array | string): boolean {
    this.#firstByteAt ??= this.#terms.clock.now();
    this.#keepalive?.note();
    return this.#reply.write(chunk);
  }

  onDrain(listener: () => void): void {
    this.#reply.onDrain(listener);
  }

  end(chunk?: Uint8Array): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#keepalive?.stop();
    if (chunk) this.#firstByteAt ??= this.#terms.clock.now();
    this.#reply.end(chunk);
  }

  /** The last word of a stream whose 200 is out. It ends cleanly: a cut would lose the event, or add a second error. */
  failInBand(error: ProxyError): void {
    if (this.#isEnded) return;
    this.#reply.write(this.#terms.errorEvent(this.inBand(error), error.status));
    this.end();
  }

  /** Not every SDK can tell which answer an event belonged to, so the message itself says it. */
  inBand(error: ProxyError): ErrorBody {
    const body = error.toBody();
    return { error: { ...body.error, message: `${body.error.message} Request id: ${this.#terms.requestId}` } };
  }

  /** Stops the comments, whatever else happens. */
  close(): void {
    this.#onGone = null;
    this.#keepalive?.stop();
  }

  #comment(): void {
    const { isGone, unsentBytes } = this.#reply;
    // A client that does not read gets no heap of comments; the write stall looks after it.
    if (isGone || this.#isEnded || unsentBytes > 0) return;
    this.beginStream(this.#terms.earlyHeaders());
    this.#reply.write(KEEPALIVE_COMMENT);
  }
}
