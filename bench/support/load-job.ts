/** What the load generator is asked for, and what it answers. */

export interface Target {
  readonly origin: string;
  /** Of the path, such as `/relay`. */
  readonly prefix?: string;
  /** Sent as a bearer token. */
  readonly key: string;
}

export interface PacedJob {
  readonly perSecond: number;
  readonly seconds: number;
  readonly promptBytes: number;
}

export interface ClientsJob {
  readonly clients: number;
  readonly seconds: number;
  readonly promptBytes: number;
}

export interface StreamsJob {
  readonly streams: number;
  readonly promptBytes: number;
  /** How fast they are opened. */
  readonly perSecond: number;
}

export interface LoadReport {
  readonly served: number;
  /** How many ended with each status that is not 200; `null`: the connection failed. */
  readonly failures: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
}
