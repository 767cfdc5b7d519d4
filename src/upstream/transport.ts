/** Header names are lower-case; a name that came several times has a list. */
export type UpstreamHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface UpstreamTimeouts {
  /** Until a connection stands, TLS included. */
  readonly connectMs: number;
  /** From sending until the first event of the answer (`firstEventSeen`), not merely its head. */
  readonly firstByteMs: number;
  /** Between two pieces of the body; stands still while the call is paused. */
  readonly idleMs: number;
  /** From sending until the end. */
  readonly totalMs: number;
}

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Scheme, host and port, such as `https://api.openai.com`. */
  readonly origin: string;
  /** Path and query, beginning with `/`. */
  readonly path: string;
  /** Complete but for `host` and `content-length`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  readonly timeouts: UpstreamTimeouts;
}

export type FailureKind =
  | 'connect'
  | 'connect_timeout'
  | 'first_byte_timeout'
  | 'idle_timeout'
  | 'total_timeout'
  | 'broken'
  | 'aborted'
  | 'invalid_request';

export interface UpstreamFailure {
  readonly kind: FailureKind;
  /**
   * Whether the request had been handed to a connection. Before that nothing was sent: its booking is refunded whole and
   * a retry is free. After that the upstream may have admitted it. Never derived from an error code.
   */
  readonly isSent: boolean;
  readonly cause: Error;
}

/**
 * What one upstream call reports, in this order; exactly one of `onEnd` and `onFailed` comes, and nothing after it. Nothing
 * comes before `send` has returned.
 */
export interface UpstreamHandler {
  /** The request was handed to a connection; comes again when a stale one is replaced. */
  onSent(): void;
  /** The final head; 1xx heads are skipped. */
  onHead(status: number, headers: UpstreamHeaders): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
  onFailed(failure: UpstreamFailure): void;
}

/** A call under way. */
export interface UpstreamCall {
  /** Stops the flow; what has already been received may still come, the end included. */
  pause(): void;
  resume(): void;
  /**
   * Ends it, whatever it is doing, connecting included; `onFailed` reports `aborted` before this returns. After the end it
   * does nothing.
   */
  abort(): void;
  /** The first event has come: from here on `idleMs` counts instead of `firstByteMs`. */
  firstEventSeen(): void;
}

/** Bytes to and from an upstream. One call is one attempt: it is never repeated, redirected or queued in here. */
export interface Transport {
  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall;
  close(): Promise<void>;
}
