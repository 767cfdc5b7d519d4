/**
 * What the use case and the HTTP layer tell whoever listens, mostly the log. Facts only: never a prompt, an answer or a
 * secret. Milliseconds are measured on the monotonic clock.
 */

/** How one chat request went, from its head to the end of its answer. Null: it never came to that. */
export interface RequestSummary {
  /** The answer's `x-request-id`. */
  readonly id: string;
  /** The client's configured name. */
  readonly client: string;
  /** As the client wrote it. */
  readonly modelAsked: string | null;
  /** As the upstream knows it. */
  readonly modelServed: string | null;
  readonly provider: string | null;
  /** The key's name, never the key. */
  readonly key: string | null;
  readonly isStreaming: boolean;
  /** Sends to upstreams, the one that was served included. */
  readonly attempts: number;
  readonly queueMs: number;
  /** From the request's head to the first byte of the answer's body. */
  readonly firstByteMs: number | null;
  readonly totalMs: number;
  readonly tokens: TokenFigures;
  /** All attempts together; null: nothing was sent, or a price is not known. */
  readonly costUsd: number | null;
  /** What the client saw; 499 when it had left. */
  readonly status: number;
  /** The error's code; null when the request was served. */
  readonly code: string | null;
  /** The quota and limit that made it wait, or for which it was refused. */
  readonly limit: string | null;
  /** Attempts that failed, in order: the route, and why in our own words. Others may have taken over. */
  readonly failures: readonly string[];
}

/** LLM tokens of one request: what was booked in advance, and what the upstream counted. */
export interface TokenFigures {
  readonly estimatedInput: number | null;
  readonly estimatedOutput: number | null;
  readonly input: number | null;
  readonly cachedInput: number | null;
  readonly output: number | null;
}

/** A request that was answered with an error before it reached the use case. */
export interface RequestRefusal {
  readonly id: string;
  /** Null: nobody was recognised. */
  readonly client: string | null;
  readonly method: string;
  /** Without the query, cut to 100 characters. */
  readonly path: string;
  readonly status: number;
  readonly code: string;
  readonly totalMs: number;
}

/** A route came back, rests or was switched off. */
export interface RouteChange {
  readonly provider: string;
  /** The key's name; null for a route without credentials. */
  readonly key: string | null;
  readonly model: string;
  readonly from: string;
  readonly to: string;
  /** A short reason of ours, such as `wait` or `credentials`. */
  readonly reason: string;
  /** Until the route is looked at again; null when nothing but a human or the calendar brings it back. */
  readonly forMs: number | null;
}

/** An exception that nobody expected; the client saw only the request id. */
export interface UnexpectedFailure {
  /** Null: it belongs to no request. */
  readonly requestId: string | null;
  readonly error: unknown;
}

/** Listens to the use case. */
export interface ProxyEvents {
  requestEnded(summary: RequestSummary): void;
  routeChanged(change: RouteChange): void;
  failed(failure: UnexpectedFailure): void;
}

/** Listens to the HTTP layer. */
export interface ServerEvents {
  requestRefused(refusal: RequestRefusal): void;
  failed(failure: UnexpectedFailure): void;
}
