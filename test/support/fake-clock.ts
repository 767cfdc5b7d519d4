import type { Cancel, Clock } from '../../src/clock.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  /** Null: it was cancelled. */
  task: (() => void) | null;
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** A clock that stands still until it is told to move; timers run in order, each at its own instant. */
export class FakeClock implements Clock {
  #now: number;
  #wallOffset: number;
  #order = 0;
  #timers: Timer[] = [];
  #pending = 0;

  constructor(now = 0, wallAtStart = Date.UTC(2026, 0, 1)) {
    this.#now = now;
    this.#wallOffset = wallAtStart - now;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#now + this.#wallOffset;
  }

  schedule(delayMs: number, task: () => void): Cancel {
    const timer: Timer = { at: this.#now + Math.max(0, delayMs), order: this.#order++, task };
    this.#push(timer);
    this.#pending += 1;
    return () => {
      if (timer.task !== null) this.#pending -= 1;
      timer.task = null;
    };
  }

  /** Moves on by `ms`, running every timer that falls due on the way, also those that a timer sets. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#timers[0]; next && next.at <= end; next = this.#timers[0]) {
      this.#pop();
      const { task } = next;
      if (task === null) continue;
      next.task = null;
      this.#pending -= 1;
      this.#now = Math.max(this.#now, next.at);
      task();
    }
    this.#now = end;
  }

  /** The wall clock jumps; the monotonic one does not notice. */
  jumpWall(ms: number): void {
    this.#wallOffset += ms;
  }

  get pendingTimers(): number {
    return this.#pending;
  }

  /** A binary heap: simulations have a hundred thousand timers. */
  #push(timer: Timer): void {
    const timers = this.#timers;
    let at = timers.length;
    timers.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timer, timers[parent] as Timer)) break;
      timers[at] = timers[parent] as Timer;
      at = parent;
    }
    timers[at] = timer;
  }

  #pop(): void {
    const timers = this.#timers;
    const last = timers.pop() as Timer;
    if (timers.length === 0) return;
    let at = 0;
    for (let child = 1; child < timers.length; child = 2 * at + 1) {
      const right = child + 1;
      if (right < timers.length && isBefore(timers[right] as Timer, timers[child] as Timer)) child = right;
      if (!isBefore(timers[child] as Timer, last)) break;
      timers[at] = timers[child] as Timer;
      at = child;
    }
    timers[at] = last;
  }
}
