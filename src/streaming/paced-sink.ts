/** Where bytes for the client go. */
export interface ByteSink {
  /** Accepted but not yet sent. */
  readonly unsentBytes: number;
  /** False: more was accepted than can be sent at once; `onDrain` will tell when all of it has gone. */
  write(chunk: Uint8Array | string): boolean;
  /** Calls `listener` each time that what was accepted has been sent. */
  onDrain(listener: () => void): void;
}

/** What slows the upstream down: the call of the transport. */
export interface Flow {
  pause(): void;
  resume(): void;
}

/** Unsent bytes above which the upstream is paused. */
export const MAX_UNSENT_BYTES = 1024 * 1024;

/**
 * Writes to a client at the pace at which it reads.
 *
 * States: flowing -> paused (more than `MAX_UNSENT_BYTES` unsent) -> flowing (all sent).
 */
export class PacedSink {
  readonly #sink: ByteSink;
  readonly #flow: Flow;
  #isPaused = false;

  constructor(sink: ByteSink, flow: Flow) {
    this.#sink = sink;
    this.#flow = flow;
    sink.onDrain(() => this.#drained());
  }

  write(bytes: Uint8Array | string): void {
    if (this.#sink.write(bytes) || this.#isPaused || this.#sink.unsentBytes <= MAX_UNSENT_BYTES) return;
    this.#isPaused = true;
    this.#flow.pause();
  }

  #drained(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#flow.resume();
  }
}
