import type { Charge, Unit } from '../charge.ts';
import type { UpstreamHeaders } from '../upstream/transport.ts';
import type { Wires } from './wire.ts';

/** What a request may need of a target beyond plain text in, text out. */
export const CAPABILITIES = ['tools', 'vision', 'json_schema', 'audio', 'files', 'logprobs', 'n'] as const;
export type Capability = (typeof CAPABILITIES)[number];

/** How a vendor enforces the limits of which nothing is configured but the number. */
export interface LimitFacts {
  readonly algorithm: 'token-bucket' | 'sliding-window' | 'fixed-window';
  /** Share of one window that may be used at once. */
  readonly burst: number;
  /** The algorithm is a guess: 429s that the books cannot explain lower the burst, quiet minutes raise it. */
  readonly isGuess: boolean;
  /** Answers say what remains, so limits that nobody configured are learned. */
  readonly hasHeaders: boolean;
  /** Limits on requests also hold for each slice of this length, evenly spread; null where they do not. */
  readonly requestSliceMs: number | null;
  /** Tokens are charged when the answer ends, not when the request arrives: what is in flight is invisible to the limiter. */
  readonly isChargedAtEnd: boolean;
  /**
   * What a model shares its limits under with others of its kind, for people to read; null: with none. Absent: each model has
   * limits of its own.
   */
  readonly familyOf?: (model: string) => string | null;
  /** Limits of a day begin anew at this minute after midnight in this time zone. Absent: nobody knows when. */
  readonly dayBegins?: { readonly minuteOfDay: number; readonly timeZone: string };
}

/** The size of one request, in LLM tokens. */
export interface RequestSize {
  readonly inputTokens: number;
  /** The client's own cap on the output, times `n`; null when it gave none. */
  readonly outputCapTokens: number | null;
  /** What this model and client usually produce; already within the cap. */
  readonly predictedOutputTokens: number;
}

/** What an answer says was used, in LLM tokens. `inputTokens` includes the cached, `outputTokens` the reasoning. */
export interface Usage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

/** One limit as the head of an answer, or the body of a 429, describes it. Absent numbers are null. */
export interface LimitReading {
  readonly unit: Exclude<Unit, 'in_flight'>;
  readonly windowMs: number;
  readonly limit: number | null;
  /** After this request was admitted. */
  readonly remaining: number | null;
  /** The vendor's figure is known to be too high at times: it is believed only where it is lower than the books. */
  readonly isAtMost?: boolean;
}

/**
 * What an attempt came to, by the vendor's own words. A 429 alone is six of these: `wait`, `never_fits`, `exhausted`,
 * `disabled`, `capacity` and `ramp`.
 */
export type Outcome =
  /** The limit is spent for now. Hints are lower bounds. `readings` are measurements of the books. */
  | { readonly kind: 'wait'; readonly retryAfterMs: number | null; readonly readings: readonly Spent[] }
  /** Larger than this quota ever admits; others may take it. */
  | { readonly kind: 'never_fits'; readonly unit: Unit | null; readonly limit: number | null }
  /** Day or month gone; `retryAfterMs` is null when only the calendar knows. `readings` as for `wait`. */
  | { readonly kind: 'exhausted'; readonly retryAfterMs: number | null; readonly readings?: readonly Spent[] }
  /** Credentials or billing: a human must act. `scope` says whether only this model is closed to the key. */
  | {
      readonly kind: 'disabled';
      readonly reason: 'credentials' | 'billing' | 'model';
      readonly scope: 'key' | 'key_model';
    }
  /** The vendor has no capacity: its other keys do not help. `isTierOnly`: just the service tier that was asked for. */
  | { readonly kind: 'capacity'; readonly retryAfterMs: number | null; readonly isTierOnly?: true }
  /** The vendor asks for a slower ramp. */
  | { readonly kind: 'ramp' }
  /** The prompt is longer than the model's context. */
  | { readonly kind: 'context' }
  /** The request itself is wrong. */
  | { readonly kind: 'client' }
  /** Broken in a way that another attempt may not be. */
  | { readonly kind: 'failed' };

/** The numbers in a 429: `Limit L, Used U, Requested R`. */
export interface Spent {
  readonly unit: Exclude<Unit, 'in_flight'>;
  readonly windowMs: number;
  readonly limit: number | null;
  readonly used: number | null;
  readonly requested: number | null;
}

/** The error in an answer, in OpenAI's four terms and the upstream's words; null is what it did not say. */
export interface UpstreamError {
  readonly message: string;
  readonly type: string | null;
  readonly param: string | null;
  readonly code: string | null;
}

/** An answer that is not a success, read to 64 KiB. A 200 whose body or first event is an error is one too. */
export interface FailedAnswer {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  /** Null when the body is not JSON. */
  readonly json: unknown;
}

/** A GET that costs no LLM tokens, and that a vendor answers only where its API is up. */
export interface ProbeCall {
  /** Path and query, given the path of the base URL and the configured version of the API. */
  path(basePath: string, apiVersion: string | null): string;
  /** It may count against limits on requests. */
  readonly isCounted: boolean;
}

/** Facts about one vendor, without I/O. Shared code asks these questions and never for a vendor's name. */
export interface Provider {
  readonly type: string;
  /** Used when the configuration names none; null when it must. */
  readonly baseUrl: string | null;
  /** What its models offer unless the configuration says otherwise. */
  readonly offers: readonly Capability[];
  readonly limits: LimitFacts;
  /**
   * Patterns of the names that a vendor gives its own models; empty for one that serves models of many makers. Where no
   * models are configured, a name goes to the vendors that own it.
   */
  readonly ownModels: readonly string[];
  /** `ask`: streams carry usage only if `stream_options` asks for it. `always`: they do so anyway, some refuse to be asked. */
  readonly streamUsage: 'ask' | 'always';
  readonly wires: Wires;
  /** Null: it has none. */
  readonly probe: ProbeCall | null;
  /** Headers that carry a key, and what every call has beside it. Absent: a bearer token. */
  credentials?(apiKey: string | null, apiVersion: string | null): Readonly<Record<string, string>>;
  /** The vendor's admission charge: what its limiter takes when the request arrives. */
  reservedCharge(size: RequestSize): Charge;
  /** What its limiter has charged in the end; `usage` is null when the answer did not say. */
  settledCharge(usage: Usage | null, reserved: Charge): Charge;
  readLimits(headers: UpstreamHeaders): readonly LimitReading[];
  /**
   * From an answer's whole JSON or one streamed event's JSON, in the vendor's own format; null when it carries none. `known`
   * is what earlier events of the stream said: some tell input and output apart.
   */
  readUsage(json: unknown, known: Usage | null): Usage | null;
  classify(answer: FailedAnswer): Outcome;
  /** The error that a body or an event holds, whatever its status; null when it is no error. */
  readError(json: unknown): UpstreamError | null;
}
