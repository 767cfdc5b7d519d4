import type { TokenCounter } from '../count-tokens.ts';
import type { Json } from '../json.ts';

/** The part of a prompt that a vendor may remember. */
export interface CachePrefix {
  readonly text: () => string;
  /** The client has asked for it (Anthropic): the first time it is written, and the usage says so. */
  readonly isMarked: boolean;
  /** In o200k tokens. */
  readonly count: (count: TokenCounter) => number;
}

/** What a request asks of a model, whatever vendor's words it came in. */
export interface ModelRequest {
  readonly model: string;
  /** How many answers; 0 where what is asked for is no text. */
  readonly n: number;
  readonly isStreaming: boolean;
  /** The client's cap on one answer, in tokens. */
  readonly choiceCap: number | null;
  /** Functions to call, all at once; empty: answer in words. Each has a `name` and maybe `parameters`. */
  readonly calls: readonly Json[];
  /** A schema to obey, `ANY_OBJECT` where any will do; null: answer in words. */
  readonly schema: Json | null;
  /** Whether the model thinks first, and whether the client gets to see it. */
  readonly thinking: 'none' | 'hidden' | 'shown';
  /** Texts at which the answer ends. */
  readonly stops: readonly string[];
  /** What the client calls this request, for the ledger. */
  readonly seq: unknown;
  readonly user: unknown;
  readonly cache: CachePrefix | null;
  /** The whole prompt, in o200k tokens. */
  readonly countPrompt: (count: TokenCounter) => number;
}

/** What a plain wish for JSON asks for. It is not in the prompt. */
export const ANY_OBJECT: Json = { type: 'object' };

/** Everything that a request may leave out. */
export const PLAIN_REQUEST = {
  n: 1,
  isStreaming: false,
  choiceCap: null,
  calls: [],
  schema: null,
  thinking: 'none',
  stops: [],
  seq: undefined,
  user: undefined,
  cache: null,
} as const satisfies Partial<ModelRequest>;
