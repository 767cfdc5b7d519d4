/** What the load of a soak is asked for, and what it answers. */

export interface SoakJob {
  readonly origin: string;
  /** Sent as a bearer token. */
  readonly key: string;
  /** Whole answers asked for in a second. */
  readonly perSecond: number;
  /** Kept open: whichever ends is followed by another. */
  readonly streams: number;
  readonly promptBytes: number;
}

/** Since the last look. */
export interface SoakReport {
  readonly seconds: number;
  readonly whole: number;
  readonly streamsEnded: number;
  readonly events: number;
  readonly aborted: number;
  /** Requests that are meant to be refused, and were. */
  readonly refused: number;
  /** Answers that nobody asked for: by status, `null` for a connection that failed. */
  readonly failures: Readonly<Record<string, number>>;
  readonly openStreams: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}
