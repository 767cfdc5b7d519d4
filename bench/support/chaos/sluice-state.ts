/** What is asked of a watched Sluice. */
export type SluiceAsk = { readonly ask: 'state' } | { readonly ask: 'jump'; readonly offsetMs: number };

/** What a watched Sluice holds, and what went wrong in it since its start. */
export interface SluiceState {
  readonly openLeases: number;
  readonly heldBodyBytes: number;
  /** How many of each kind keep it busy. */
  readonly resources: Readonly<Record<string, number>>;
  /** Open file descriptors. */
  readonly handles: number;
  readonly residentBytes: number;
  /** Lines of the log by their message. */
  readonly logged: Readonly<Record<string, number>>;
  /** Errors and problems in the log, unhandled rejections, warnings of Node. */
  readonly problems: readonly string[];
}
