import type { Cancel, Clock } from '../clock.ts';

/** The part of a clock that is needed here. */
export type KeepaliveClock = Pick<Clock, 'now' | 'schedule'>;

/**
 * Notices that a client has received nothing for a while. Armed lazily: a write only notes the time.
 *
 * States: watching (from construction) -> stopped.
 */
export class Keepalive {
  readonly #clock: KeepaliveClock;
  readonly #quietMs: number;
  readonly #onQuiet: () => void;
  #lastAt: number;
  #cancel: Cancel;

  /** `onQuiet` is called whenever nothing was noted for `quietMs`, again and again. */
  constructor(clock: KeepaliveClock, quietMs: number, onQuiet: () => void) {
    this.#clock = clock;
    this.#quietMs = quietMs;
    this.#onQuiet = onQuiet;
    this.#lastAt = clock.now();
    this.#cancel = clock.schedule(quietMs, () => this.#check());
  }

  /** Something was written to the client. */
  note(): void {
    this.#lastAt = this.#clock.now();
  }

  stop(): void {
    this.#cancel();
  }

  #check(): void {
    const dueMs = this.#lastAt + this.#quietMs - this.#clock.now();
    if (dueMs > 0) {
      this.#cancel = this.#clock.schedule(dueMs, () => this.#check());
      return;
    }
    this.#lastAt = this.#clock.now();
    this.#cancel = this.#clock.schedule(this.#quietMs, () => this.#check());
    this.#onQuiet();
  }
}
