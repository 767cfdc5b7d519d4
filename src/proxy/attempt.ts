import type { Usage } from '../providers/provider.ts';
import type { Lease } from '../scheduler/lease.ts';
import type {
  UpstreamCall,
  UpstreamFailure,
  UpstreamHandler,
  UpstreamHeaders,
  UpstreamRequest,
} from '../upstream/transport.ts';
import type { AnswerFigures, AnswerParts, AnswerReader } from './answer-reader.ts';
import { type AttemptEnd, transportFailure } from './attempt-end.ts';
import type { Bill, Tab } from './budgets/tab.ts';
import type { ClientAnswer } from './client-answer.ts';
import { RefusedAnswer } from './refused-answer.ts';
import type { RequestServices } from './request-services.ts';
import type { ServedTarget } from './served-model.ts';
import { endingOf, nanoUsdOf } from './settlement.ts';
import type { TargetSize } from './size-request.ts';

export interface AttemptParts {
  readonly services: Pick<RequestServices, 'clock' | 'transport'>;
  readonly lease: Lease;
  readonly target: ServedTarget;
  readonly size: TargetSize;
  readonly answer: ClientAnswer;
  /** Who pays for it. */
  readonly tab: Pick<Tab, 'begin'>;
  /** Many servers do not have what is asked of them. */
  readonly isRareEndpoint?: boolean;
  /** What the answer's head says of limits is not true of the lease's. */
  readonly isLimitedApart?: boolean;
  /** How a success is read. */
  read(common: AnswerParts): AnswerReader;
  /** Who hears that the client has left. Absent: the answer's own. */
  readonly whenGone?: (listener: (() => void) | null) => void;
  /** The first event of a stream, or the first piece of a whole answer, has come. */
  readonly firstEventSeen?: () => void;
  /** This attempt answers: the head must be out when this returns. */
  begin(upstream: UpstreamHeaders): void;
}

export interface AttemptResult {
  readonly end: AttemptEnd;
  readonly usage: Usage | null;
}

const NOTHING_SEEN: AnswerFigures = { usage: null, producedTokens: null };

/**
 * One lease turned into one call. However that ends, the lease is ended and the bill settled once, the call is over, and the
 * result is told.
 *
 *     sent ──head──▶ answering ──▶ over
 *       └──failure, client gone──▶ over
 */
export class Attempt implements UpstreamHandler {
  readonly #parts: AttemptParts;
  readonly #resolve: (result: AttemptResult) => void;
  readonly #bill: Bill;
  #call: UpstreamCall | null = null;
  #reader: AnswerReader | null = null;
  #isSent = false;
  #isOver = false;

  private constructor(parts: AttemptParts, resolve: (result: AttemptResult) => void) {
    this.#parts = parts;
    this.#resolve = resolve;
    this.#bill = parts.tab.begin(parts.size.predictedNanoUsd);
  }

  /** Never rejects: a failure is a result. */
  static run(parts: AttemptParts, request: UpstreamRequest): Promise<AttemptResult> {
    const { promise, resolve } = Promise.withResolvers<AttemptResult>();
    const attempt = new Attempt(parts, resolve);
    // No closure may know the request: its body must not live as long as the answer.
    attempt.#whenGone(() => attempt.#finish({ kind: 'gone' }));
    if (!attempt.#isOver) attempt.#send(request);
    return promise;
  }

  onSent(): void {
    this.#isSent = true;
    const { lease, services } = this.#parts;
    lease.sentAt = services.clock.now();
  }

  onHead(status: number, headers: UpstreamHeaders): void {
    if (this.#isOver) return;
    const { lease, target, isLimitedApart = false } = this.#parts;
    lease.headed(isLimitedApart ? [] : target.provider.readLimits(headers));
    this.#reader = this.#readerFor(status, headers);
  }

  onData(chunk: Buffer): void {
    if (!this.#isOver) this.#reader?.push(chunk);
  }

  onEnd(): void {
    if (!this.#isOver) this.#reader?.end();
  }

  onFailed(failure: UpstreamFailure): void {
    if (this.#isOver) return;
    if (this.#reader) this.#reader.fail(failure.kind);
    else this.#finish({ kind: 'failed', failure: transportFailure(failure.kind, failure) });
  }

  #send(request: UpstreamRequest): void {
    const call = this.#parts.services.transport.send(request, this);
    if (this.#isOver) call.abort();
    else this.#call = call;
  }

  #readerFor(status: number, headers: UpstreamHeaders): AnswerReader {
    const { services, target, isRareEndpoint = false, read, answer, begin, lease } = this.#parts;
    const common: AnswerParts = {
      clock: services.clock,
      provider: target.provider,
      status,
      headers,
      answer,
      call: this.#flow,
      begin: () => {
        lease.proved();
        begin(headers);
      },
      finish: (end) => this.#finish(end),
    };
    return isSuccess(status) ? read(common) : new RefusedAnswer({ ...common, suspicion: null, isRareEndpoint });
  }

  /** A transport may report before it has returned the call. */
  readonly #flow = {
    pause: (): void => this.#call?.pause(),
    resume: (): void => this.#call?.resume(),
    firstEventSeen: (): void => {
      this.#parts.firstEventSeen?.();
      this.#call?.firstEventSeen();
    },
  };

  #whenGone(listener: (() => void) | null): void {
    const { whenGone, answer } = this.#parts;
    if (whenGone) whenGone(listener);
    else answer.whenGone(listener);
  }

  #finish(end: AttemptEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { lease, target, size } = this.#parts;
    this.#whenGone(null);
    const figures = this.#reader ?? NOTHING_SEEN;
    const { usage } = figures;
    this.#reader?.close();
    this.#call?.abort();
    const account = { provider: target.provider, size, isSent: this.#isSent, figures };
    this.#bill.settle(nanoUsdOf(end, account));
    lease.end(endingOf(end, account));
    this.#resolve({ end, usage });
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
