import type { ErrorBody } from '../../errors.ts';
import type { JsonObject, Operation } from '../../providers/wire.ts';
import type { StreamGrammar } from '../../streaming/stream-facts.ts';
import type { Turns } from '../affinity/turns.ts';
import type { BodyReader } from '../request-body.ts';

/** What a body weighs, for the estimator. */
export interface Measured {
  /** A chat with the same text, images and tools: what estimates are made of. */
  readonly chat: JsonObject;
  /** LLM tokens of the input that are known already, such as those of texts that came as token ids. */
  readonly knownTokens: number;
}

/**
 * One operation as clients see it: how its bodies are read, its streams understood and its failures told. Everything
 * between the two ends is the same for all.
 */
export interface Door {
  readonly operation: Operation;
  readonly body: BodyReader;
  /** Whether its answers are written by the model, so that their length is predicted and learned. */
  readonly generates: boolean;
  /** Vendors ask no money for it. */
  readonly isFree?: boolean;
  /** The field that the prompt stands in. */
  readonly input: string;
  measure(body: JsonObject): Measured;
  /** The conversation that a body goes on with. Absent: its requests have nothing to do with each other. */
  turns?(body: JsonObject): Turns;
  readonly grammar: StreamGrammar;
  /** An error as the last event of a stream whose status has already been sent, with its blank line. */
  errorEvent(body: ErrorBody, status: number): string;
  /** An error as a whole body. Absent: as OpenAI writes it. */
  errorBody?(body: ErrorBody, status: number): object;
  /** How it answers where nothing behind a model speaks its format. Absent: it can't. */
  readonly fromEstimate?: OwnAnswer;
}

/** An answer that takes no upstream, only an estimate of the input. */
interface OwnAnswer {
  /** What the estimate is made of. */
  chatOf(body: JsonObject): JsonObject;
  /** In LLM tokens. */
  answer(inputTokens: number): JsonObject;
}
