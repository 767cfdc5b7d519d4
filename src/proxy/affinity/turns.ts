/** A body as a conversation. */
export interface Turns {
  /** What the model is told before all messages: a text, parts, or nothing. */
  readonly instructions: unknown;
  /** What was said so far, oldest first: messages, or items of the Responses API. */
  readonly messages: readonly unknown[];
}
