import type { IncomingHttpHeaders } from 'node:http';
import type { TokenCounter } from '../count-tokens.ts';
import type { Json } from '../json.ts';
import type { LimitsOptions } from '../limits/limit-spec.ts';
import type { UpstreamLimit } from '../limits/upstream-limit.ts';
import type { StoredThings } from '../stored-things.ts';
import type { Answer, AnswerWriter, Usage } from './answer.ts';
import type { Failure, InvalidRequest } from './failure.ts';
import type { ModelRequest } from './model-request.ts';

export type Headers = Readonly<Record<string, string>>;

/** A request before its body is read. */
export interface Incoming {
  readonly method: string;
  /** Without its query, as it came. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** A request for a model, read, and how its answer will be written. */
export interface ModelCallRead {
  readonly request: ModelRequest;
  write(answer: Answer): AnswerWriter;
}

/** Facts that answers without a model are made of. */
export interface PlainFacts {
  readonly models: readonly string[];
  /** Seconds since the epoch. */
  readonly nowS: number;
  readonly body: Json;
  readonly count: TokenCounter;
  /** A name that nothing else has. */
  readonly nextId: (prefix: string) => string;
  /** In the vendor's own tokens. */
  readonly inVendorTokens: (tokens: number) => number;
  readonly stored: StoredThings;
}

/** What stands behind a path. */
export type Endpoint =
  /** A model answers, under its limits. */
  | { readonly kind: 'model'; read(body: Json, stored: StoredThings): ModelCallRead | InvalidRequest }
  /** Answered at once, under no limit. `takesAnyBody`: what is no JSON is taken and not looked at. */
  | {
      readonly kind: 'plain';
      readonly takesAnyBody?: true;
      answer(facts: PlainFacts): { readonly json: unknown } | Failure;
    };

export interface ErrorReply {
  readonly status: number;
  readonly headers?: Headers;
  readonly body: unknown;
}

/** Facts for the headers of any answer. */
interface HeaderFacts {
  readonly requestId: string;
  /** Null before the key is known. */
  readonly organization: string | null;
  readonly model: string | null;
  readonly elapsedMs: number;
  /** What the whole answer costs; null where there is none. */
  readonly usage: Usage | null;
}

export interface RateFacts {
  readonly limits: readonly UpstreamLimit[];
  /** On the vendor's clock. */
  readonly nowMs: number;
  readonly model: string;
  /** The limit that refused the request; null: it was admitted. */
  readonly refusedBy: UpstreamLimit | null;
}

/** One vendor's API, as far as it can be seen from outside. It decides nothing: limits, faults and books are the same for all. */
export interface VendorApi {
  /** As messages call it. */
  readonly title: string;
  /** Used when the options name none. */
  readonly models: readonly string[];
  /** Where its clients begin, after the origin. */
  readonly basePath: string;
  /** The credential of a request, wherever this vendor looks for it; null: there is none. */
  keyOf(incoming: Incoming): string | null;
  /** Null: there is nothing at this path. */
  endpointOf(incoming: Incoming): Endpoint | null;
  /** Whether the cap of an answer must fit into the context beside the prompt. */
  readonly hasCapInContext: boolean;
  /** Limits as this vendor enforces them, as far as the options leave that open. */
  limitsOf(given: LimitsOptions): LimitsOptions;
  headersOf(facts: HeaderFacts): Headers;
  rateHeaders(facts: RateFacts): Headers;
  errorOf(failure: Failure, requestId: string): ErrorReply;
  /** An error as an event of a stream whose head was a 200. */
  errorEvent(body: unknown): string;
  /** A line to try it with. */
  example(origin: string, key: string, model: string): string;
}
