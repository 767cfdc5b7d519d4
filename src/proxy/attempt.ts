import type { Provider, Usage } from '../providers/provider.ts';
import type { AnswerTranslator, TranslationContext, Wire } from '../providers/wire.ts';
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
import type { ClientAnswer } from './client-answer.ts';
import type { Door } from './doors/door.ts';
import { JsonAnswer } from './json-answer.ts';
import { RefusedAnswer } from './refused-answer.ts';
import type { RequestFacts } from './request-body.ts';
import type { RequestServices } from './request-services.ts';
import type { ServedTarget } from './served-model.ts';
import { endingOf } from './settlement.ts';
import type { TargetSize } from './size-request.ts';
import { StreamAnswer } from './stream-answer.ts';
import { TranslatedAnswer } from './translated-answer.ts';

export interface AttemptParts {
  readonly services: Pick<RequestServices, 'clock' | 'transport'>;
  readonly lease: Lease;
  readonly target: ServedTarget;
  readonly size: TargetSize;
  readonly door: Pick<Door, 'grammar'>;
  readonly wire: Pick<Wire, 'translator'>;
  readonly facts: Pick<RequestFacts, 'isStreaming' | 'wantsUsage' | 'wantsBase64' | 'wantsThinking'>;
  readonly answer: ClientAnswer;
  /** This attempt answers: the head must be out when this returns. */
  begin(upstream: UpstreamHeaders): void;
}

export interface AttemptResult {
  readonly end: AttemptEnd;
  readonly usage: Usage | null;
}

const NOTHING_SEEN: AnswerFigures = { usage: null, producedTokens: null };

/**
 * One lease turned into one call. However that ends, the lease is ended once, the call is over, and the result is told.
 *
 *     sent ──head──▶ answering ──▶ over
 *       └──failure, client gone──▶ over
 */
export class Attempt implements UpstreamHandler {
  readonly #parts: AttemptParts;
  readonly #resolve: (result: AttemptResult) => void;
  #call: UpstreamCall | null = null;
  #reader: AnswerReader | null = null;
  #isSent = false;
  #isOver = false;

  private constructor(parts: AttemptParts, resolve: (result: AttemptResult) => void) {
    this.#parts = parts;
    this.#resolve = resolve;
  }

  /** Never rejects: a failure is a result. */
  static run(parts: AttemptParts, request: UpstreamRequest): Promise<AttemptResult> {
    const { promise, resolve } = Promise.withResolvers<AttemptResult>();
    const attempt = new Attempt(parts, resolve);
    // No closure may know the request: its body must not live as long as the answer.
    parts.answer.whenGone(() => attempt.#finish({ kind: 'gone' }));
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
    const { lease, target } = this.#parts;
    lease.headed(target.provider.readLimits(headers));
    this.#reader = this.#readerFor(status, headers);
  }

  onData(chunk: Buffer): void {
    if (!this.#isOver) this.#reader?.push(chunk);
  }

  onEnd(): void {
    if (!this.#isOver) this.#reader?.end();
  }

  onFailed({ kind, isSent }: UpstreamFailure): void {
    if (this.#isOver) return;
    if (this.#reader) this.#reader.fail(kind);
    else this.#finish({ kind: 'failed', failure: transportFailure(kind, isSent) });
  }

  #send(request: UpstreamRequest): void {
    const call = this.#parts.services.transport.send(request, this);
    if (this.#isOver) call.abort();
    else this.#call = call;
  }

  #readerFor(status: number, headers: UpstreamHeaders): AnswerReader {
    const { services, target, facts, wire, answer, begin, lease } = this.#parts;
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
    if (!isSuccess(status)) return new RefusedAnswer({ ...common, suspicion: null });
    if (facts.isStreaming !== isEventStream(headers)) {
      const asked = facts.isStreaming ? 'a stream' : 'a whole answer';
      return new RefusedAnswer({ ...common, suspicion: `the upstream was asked for ${asked} and sent something else` });
    }
    const translator = wire.translator?.(this.#context()) ?? null;
    return facts.isStreaming ? this.#streamReader(common, translator) : new JsonAnswer({ ...common, translator });
  }

  #context(): TranslationContext {
    const { services, target, size, facts } = this.#parts;
    const createdS = Math.floor(services.clock.wallNow() / 1000);
    const { wantsBase64 = false, wantsThinking = false } = facts;
    return { model: target.model, createdS, inputTokens: size.inputTokens, wantsBase64, wantsThinking };
  }

  #streamReader(common: AnswerParts, translator: AnswerTranslator | null): AnswerReader {
    const { door, facts } = this.#parts;
    const inner = new StreamAnswer({ ...common, isUsageWanted: facts.wantsUsage, grammar: door.grammar });
    if (translator === null) return inner;
    const readUsage: Provider['readUsage'] = (json, known) => common.provider.readUsage(json, known);
    return new TranslatedAnswer({ inner, translator, readUsage });
  }

  /** A transport may report before it has returned the call. */
  readonly #flow = {
    pause: (): void => this.#call?.pause(),
    resume: (): void => this.#call?.resume(),
    firstEventSeen: (): void => this.#call?.firstEventSeen(),
  };

  #finish(end: AttemptEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { answer, lease, target, size } = this.#parts;
    answer.whenGone(null);
    const figures = this.#reader ?? NOTHING_SEEN;
    const { usage } = figures;
    this.#reader?.close();
    this.#call?.abort();
    lease.end(endingOf(end, { provider: target.provider, size, isSent: this.#isSent, figures }));
    this.#resolve({ end, usage });
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function isEventStream(headers: UpstreamHeaders): boolean {
  return /^\s*text\/event-stream\b/i.test(String(headers['content-type'] ?? ''));
}
