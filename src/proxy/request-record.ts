import type { ProxyError } from '../errors.ts';
import { toNanoUsd, toUsd } from '../money.ts';
import type { Usage } from '../providers/provider.ts';
import type { AttemptFailure } from './attempt-end.ts';
import type { RequestSummary, TokenFigures } from './events.ts';
import type { ClientRequest } from './exchange.ts';
import { limitName } from './rejection-error.ts';
import type { RequestFacts } from './request-body.ts';
import type { Endpoint, ServedTarget } from './served-model.ts';
import type { TargetSize } from './size-request.ts';

/** The route of an attempt, as people know it. */
export interface Step {
  readonly target: ServedTarget;
  readonly endpoint: Endpoint;
  readonly size: TargetSize;
}

type Recorded = Pick<ClientRequest, 'id' | 'client' | 'receivedAt'> & Partial<Pick<ClientRequest, 'modelInPath'>>;

/** How the answer looks when it is over. */
export interface Ending {
  readonly now: number;
  /** The client went before the answer was complete. */
  readonly hasLeft: boolean;
  readonly isHeadSent: boolean;
  readonly firstByteAt: number | null;
  readonly costUsd: number | null;
}

/** What is remembered of a request for its one line in the log, and for the headers that tell the same. */
export class RequestRecord {
  readonly #request: Recorded;
  /** Fields that the upstream of the newest attempt has no words for. */
  dropped: readonly string[] = [];
  /** Time spent in the queue, all waits together. */
  queueMs = 0;
  attempts = 0;
  usage: Usage | null = null;
  #facts: RequestFacts | null = null;
  #step: Step | null = null;
  /** Until it is sent. */
  #size: TargetSize | null = null;
  #error: ProxyError | null = null;
  #limit: string | null = null;
  readonly #failures: string[] = [];
  readonly #parts: RequestSummary[] = [];

  constructor(request: Recorded) {
    this.#request = request;
  }

  /** The newest attempt's. */
  get step(): Step | null {
    return this.#step;
  }

  /** What its body says; null until it has been read. */
  get facts(): RequestFacts | null {
    return this.#facts;
  }

  read(facts: RequestFacts): void {
    this.#facts = facts;
  }

  /** What it comes to on each target of the model that was asked for; null: on one that cannot serve it. */
  sized(sizes: readonly (TargetSize | null)[]): void {
    this.#size = sizes.find((size) => size !== null) ?? null;
  }

  attempted(step: Step): void {
    this.#step = step;
    this.attempts += 1;
    this.usage = null;
  }

  /** Of several that were sent, this is the one to tell of: it answers, or is why nobody does. */
  tellsOf(step: Step | null): void {
    this.#step = step;
  }

  /** The newest attempt came to nothing. */
  attemptFailed({ reason, code }: Pick<AttemptFailure, 'reason' | 'code'>): void {
    const { provider, key, modelServed } = servedBy(this.#step, undefined);
    this.#failures.push(
      `${provider}${key === null ? '' : `/${key}`} ${modelServed}: ${reason}${code === null ? '' : ` (${code})`}`,
    );
  }

  waitedFor(limit: { readonly quota: string; readonly name: string } | null): void {
    if (limit) this.#limit = limitName(limit);
  }

  /** One choice of several that were asked for one by one. All of them together are one line in the log. */
  part(summary: RequestSummary): void {
    this.#parts.push(summary);
    this.attempts += summary.attempts;
    this.queueMs = Math.max(this.queueMs, summary.queueMs);
    this.#limit ??= summary.limit;
    this.#failures.push(...summary.failures);
  }

  failed(error: ProxyError): void {
    this.#error = error;
    this.#limit = error.details.limit ?? this.#limit;
  }

  summary(end: Ending): RequestSummary {
    const { id, client, modelInPath, receivedAt } = this.#request;
    const { now, firstByteAt, costUsd } = end;
    return {
      id,
      client: client.name,
      modelAsked: modelInPath ?? this.facts?.model ?? null,
      isStreaming: this.facts?.isStreaming ?? false,
      ...servedBy(this.#step, this.#parts[0]),
      attempts: this.attempts,
      queueMs: this.queueMs,
      firstByteMs: firstByteAt === null ? null : firstByteAt - receivedAt,
      totalMs: now - receivedAt,
      tokens: this.#parts.length > 0 ? sumOf(this.#parts) : tokensOf(this.#step?.size ?? this.#size, this.usage),
      costUsd: this.#parts.length > 0 ? costOf(this.#parts) : costUsd,
      ...this.#verdict(end),
      limit: this.#limit,
      failures: this.#failures,
    };
  }

  /** What the client saw; of one that has left, what proxies commonly write. */
  #verdict({ hasLeft, isHeadSent }: Ending): Pick<RequestSummary, 'status' | 'code'> {
    if (hasLeft) return { status: 499, code: 'client_closed_request' };
    const error = this.#error;
    if (error === null) return { status: 200, code: null };
    return { status: isHeadSent ? 200 : error.status, code: error.code };
  }
}

type Served = Pick<RequestSummary, 'modelServed' | 'provider' | 'key'>;

/** Of several parts, whoever served the first to end. */
function servedBy(step: Step | null, part: Served | undefined): Served {
  if (part) return { modelServed: part.modelServed, provider: part.provider, key: part.key };
  if (step === null) return { modelServed: null, provider: null, key: null };
  const { target, endpoint } = step;
  return { modelServed: target.model, provider: target.providerName, key: endpoint.keyName };
}

function tokensOf(size: TargetSize | null, usage: Usage | null): TokenFigures {
  return {
    estimatedInput: size?.inputTokens ?? null,
    estimatedOutput: size?.predictedOutputTokens ?? null,
    input: usage?.inputTokens ?? null,
    cachedInput: usage?.cachedInputTokens ?? null,
    output: usage?.outputTokens ?? null,
  };
}

/** What one part does not know, the sum does not count. */
function sumOf(parts: readonly RequestSummary[]): TokenFigures {
  const sum = (name: keyof TokenFigures): number | null => {
    const known = parts.map(({ tokens }) => tokens[name]).filter((figure) => figure !== null);
    return known.length === 0 ? null : known.reduce((total, figure) => total + figure, 0);
  };
  return {
    estimatedInput: sum('estimatedInput'),
    estimatedOutput: sum('estimatedOutput'),
    input: sum('input'),
    cachedInput: sum('cachedInput'),
    output: sum('output'),
  };
}

/** A part that sent nothing costs nothing; one that sent and does not know makes the whole unknown. */
function costOf(parts: readonly RequestSummary[]): number | null {
  const sent = parts.filter(({ attempts }) => attempts > 0);
  const known = sent.map(({ costUsd }) => costUsd).filter((cost) => cost !== null);
  if (known.length === 0 || known.length < sent.length) return null;
  return toUsd(known.reduce((sum, cost) => sum + toNanoUsd(cost), 0));
}
