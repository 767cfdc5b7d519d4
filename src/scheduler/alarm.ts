import type { Cancel, Clock } from '../clock.ts';

/** One timer, at the next instant that matters. Node fires up to 2 ms early, so it is set late, and whoever wakes looks again. */
export class Alarm {
  readonly #clock: Clock;
  readonly #wake: () => void;
  #timer: { readonly at: number; readonly cancel: Cancel } | null = null;

  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /** @param at Infinity: never */
  set(at: number): void {
    if (this.#timer?.at === at) return;
    this.stop();
    if (at === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.ceil(Math.max(0, at - this.#clock.now())) + 1;
    const cancel = this.#clock.schedule(delayMs, () => {
      this.#timer = null;
      this.#wake();
    });
    this.#timer = { at, cancel };
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
