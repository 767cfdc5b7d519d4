import type { Choice, Part } from '../compose-answer.ts';

/** In the vendor's tokens. */
export interface Usage {
  /** The whole prompt, what was cached included. */
  readonly input: number;
  /** The whole answer, thinking included. */
  readonly output: number;
  /** Of the input: read from the cache, and written to it. */
  readonly cached: number;
  readonly cacheWritten: number;
  /** Of the output. */
  readonly thinking: number;
}

/** What all parts of one answer have in common. */
export interface Answer {
  /** Its own among all answers: 24 hexadecimal digits. */
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly model: string;
  readonly choices: readonly Choice[];
  /** What was used once so many rounds are out: the prompt is known from the start. */
  readonly usageAfter: (rounds: number) => Usage;
}

/** Where a piece of an answer belongs. */
export interface Spot {
  readonly choice: number;
  /** Which part of the choice. */
  readonly index: number;
  readonly part: Part;
  /** Rounds that are out, this one included. */
  readonly round: number;
}

/** How a vendor writes one answer: whole, or event by event. What it has nothing to say to is an empty text. */
export interface AnswerWriter {
  /** Of a stream. Default: server-sent events. */
  readonly streamType?: string;
  /** The body of an answer that is not streamed. */
  whole(usage: Usage): string;
  /** Before any token. */
  opening(): string;
  partStart(spot: Spot): string;
  /** One token. */
  piece(spot: Spot, text: string): string;
  partEnd(spot: Spot): string;
  choiceEnd(choice: number): string;
  /** After everything else. */
  closing(usage: Usage): string;
  /** The beginning of an event that never ends. */
  fragment(): string;
}
