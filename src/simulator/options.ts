import type { Distribution } from './distribution.ts';
import type { FaultRule } from './faults.ts';
import type { LimitsOptions } from './limits/limit-spec.ts';

/** One bearer token. */
interface KeyOptions {
  readonly key: string;
  /** What the ledger calls it. Default: `key-1` and so on, over all organisations. */
  readonly name?: string | undefined;
  /** Limits of this key alone, over all models, beside those of its organisation. */
  readonly limits?: LimitsOptions | undefined;
}

/** Who has limits: keys of one organisation draw on the same ones. */
export interface OrganizationOptions {
  /** Default: `org-sim-1` and so on. */
  readonly name?: string | undefined;
  readonly keys: readonly (string | KeyOptions)[];
  /** Each model has limits of its own, of this size. */
  readonly limits?: LimitsOptions | undefined;
  /** Models with other limits than `limits`. A `*` stands for anything; models that match one pattern share its limits. */
  readonly models?: Readonly<Record<string, LimitsOptions>> | undefined;
  /** Limits over all models together. */
  readonly sharedLimits?: LimitsOptions | undefined;
}

interface AnswerOptions {
  /** Until the first byte of an answer, in ms. Default 0. */
  readonly firstByteMs?: Distribution | undefined;
  /** Pace of one answer; 0, the default, is as fast as it is read. */
  readonly tokensPerSecond?: number | undefined;
  /** Length of one choice, in tokens, before the client's cap. Default 24. */
  readonly outputTokens?: Distribution | undefined;
}

export const VENDORS = ['openai', 'anthropic', 'gemini', 'cohere', 'mistral', 'groq', 'azure'] as const;
/** Whose API it is: paths, formats, errors, headers, and how limits are enforced as far as the options leave that open. */
export type VendorName = (typeof VENDORS)[number];

/** `openai`: minute limits. `groq`: requests of the day, tokens of the minute. `none`: a vendor that sends no headers. */
export const HEADER_STYLES = ['openai', 'groq', 'none'] as const;
export type HeaderStyle = (typeof HEADER_STYLES)[number];

/** What is simulated. Every default is the plainest choice: instant answers, no faults, an honest vendor. */
export interface SimulatorOptions {
  /** Default `openai`. */
  readonly vendor?: VendorName | undefined;
  readonly organizations: readonly OrganizationOptions[];
  /** The models there are. Default: two or three that the vendor has. */
  readonly models?: readonly string[] | undefined;
  /** Prompt and output cap may not exceed it, in tokens. Absent: not checked. */
  readonly contextLength?: number | undefined;
  readonly answer?: AnswerOptions | undefined;
  readonly faults?: readonly FaultRule[] | undefined;
  /** Default: the vendor's own. */
  readonly headers?: HeaderStyle | undefined;
  /** Whether a 429 advises a wait in its headers. Default: as the vendor does, which for OpenAI is no. */
  readonly retryAfter?: boolean | undefined;
  /** How far the vendor's clock is ahead; up to a few seconds, either way. Default 0. */
  readonly clockOffsetMs?: number | undefined;
  /** Time that a request spends on its way to the limiter. Default 0. */
  readonly arrivalDelayMs?: Distribution | undefined;
  /** This vendor's tokenizer counts so many times more tokens than o200k. Default 1. */
  readonly usageFactor?: number | undefined;
  /** Whether a request refused by a limit still uses up one of each limit of requests that has room. Default false. */
  readonly chargeRefused?: boolean | undefined;
  /** Admitted requests that the ledger lists, newest last. Default 100,000. */
  readonly maxLogged?: number | undefined;
}

/** Wrong options: the message says which, and what would be right. */
export class SimulatorOptionsError extends Error {
  override readonly name = 'SimulatorOptionsError';
}
