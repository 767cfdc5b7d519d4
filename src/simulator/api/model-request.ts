import type { TokenCounter } from '../count-tokens.ts';
import type { Json } from '../json.ts';

/** A beginning of a prompt. */
export interface Beginning {
  readonly text: () => string;
  /** In o200k tokens. */
  readonly count: (count: TokenCounter) => number;
}

/** Beginnings of a prompt that a vendor may know, or remember. */
export interface CacheUse {
  /** Where it looks for what it knows, the longest first. */
  readonly known: readonly Beginning[];
  /** What it keeps when it has read the prompt. */
  readonly kept: readonly Beginning[];
  /** The client has asked for it (Anthropic): what is written is the longest, and the usage says so. */
  readonly isMarked: boolean;
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
  readonly cache: CacheUse | null;
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
