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

/** How a client is kept from giving up that waits for an answer in one piece. */
export interface EarlyHead {
  /** `whitespace`: a 200 and a newline, which gives up the status. `interim`: a 102, which keeps it. */
  readonly mode: 'whitespace' | 'interim';
  readonly afterMs: number;
}

/** After how much silence a client gets a sign of life; null: never. */
export interface SilenceTerms {
  readonly streamKeepaliveMs: number | null;
  readonly earlyHead: EarlyHead | null;
}

export interface AnswerTerms {
  readonly clock: Clock;
  readonly requestId: string;
  /** What a head says that goes out before anything has answered. */
  readonly earlyHeaders: () => Headers;
  /** An error as the last event of the client's format, with its blank line. */
  readonly errorEvent: (body: ErrorBody, status: number) => string;
  /** An error as a whole body of the client's format. */
  readonly errorBody: (body: ErrorBody, status: number) => object;
}

/**
 * The answer to one request, over all its attempts.
 *
 *     silent ──(nothing for a while)──▶ kept alive: a 200 with comments or white space, which promises nothing
 *        ├──────────▶ begun: something of an answer is out, no other attempt can take over ◀── kept alive
 *        └──▶ ended                                                └──▶ ended
 *
 * A 102 leaves it silent.
 */
export class ClientAnswer implements ByteSink {
  readonly #reply: ClientReply;
  readonly #terms: AnswerTerms;
  #keepalive: Keepalive | null = null;
  #onGone: (() => void) | null = null;
  #isStream = false;
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

  /** Something of an answer is out, signs of life aside: no other attempt can take over. */
  get hasBegun(): boolean {
    return this.#firstByteAt !== null || this.#isEnded;
  }

  /** `clock.now()` when the first byte of an answer was written, signs of life aside; null before. */
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

  /** It is known what kind of answer is wanted: from now on a client that receives nothing gets a sign of life. */
  expect(kind: 'stream' | 'whole', { streamKeepaliveMs, earlyHead }: SilenceTerms): void {
    this.#isStream = kind === 'stream';
    const quietMs = this.#isStream ? streamKeepaliveMs : (earlyHead?.afterMs ?? null);
    if (quietMs === null || this.isGone) return;
    this.#keepalive = new Keepalive(this.#terms.clock, quietMs, () => this.#giveSign(earlyHead));
  }

  beginStream(headers: Headers): void {
    if (!this.isHeadSent) this.#reply.head(200, { ...headers, ...STREAM_HEADERS });
  }

  beginWhole(headers: Headers): void {
    if (!this.isHeadSent) this.beginAs(200, { ...headers, 'content-type': 'application/json' });
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

  /**
   * The last word where the 200 is out. It ends cleanly: a cut would lose an event, or add a second error. Half an answer
   * that is no stream has no place for an error and stays without an end, for its owner to cut.
   */
  failInBand(error: ProxyError): void {
    if (this.#isEnded) return;
    const body = this.inBand(error);
    if (this.#isStream) this.#reply.write(this.#terms.errorEvent(body, error.status));
    else if (this.#firstByteAt === null) this.#reply.write(JSON.stringify(this.#terms.errorBody(body, error.status)));
    else return;
    this.end();
  }

  /** Not every SDK can tell which answer an event belonged to, so the message itself says it. */
  inBand(error: ProxyError): ErrorBody {
    const body = error.toBody();
    return { error: { ...body.error, message: `${body.error.message} Request id: ${this.#terms.requestId}` } };
  }

  /** Stops the signs of life, whatever else happens. */
  close(): void {
    this.#onGone = null;
    this.#keepalive?.stop();
  }

  #giveSign(earlyHead: EarlyHead | null): void {
    const { isGone, unsentBytes } = this.#reply;
    // A client that does not read gets no heap of them; the write stall looks after it.
    if (isGone || this.#isEnded || unsentBytes > 0) return;
    if (this.#isStream) {
      this.beginStream(this.#terms.earlyHeaders());
      this.#reply.write(KEEPALIVE_COMMENT);
    } else if (this.#firstByteAt === null) this.#giveSignOfWhole(earlyHead);
  }

  /** Between the bytes of a body that has begun, white space could land within a string of it. */
  #giveSignOfWhole(earlyHead: EarlyHead | null): void {
    if (earlyHead?.mode === 'interim') {
      this.#reply.processing();
      return;
    }
    this.beginWhole({ ...this.#terms.earlyHeaders(), ...PASSED_ON_AT_ONCE });
    this.#reply.write(WHITE_SPACE);
  }
}

/** JSON may begin with it. */
const WHITE_SPACE = '\n';
/** A proxy that buffers would hold the sign back. */
const PASSED_ON_AT_ONCE = { 'x-accel-buffering': 'no' };
