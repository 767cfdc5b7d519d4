import { performance } from 'node:perf_hooks';

/** Undoes what was scheduled; calling it again, or after the task ran, does nothing. */
export type Cancel = () => void;

/** Where time comes from. Nothing outside this file and `app.ts` asks the machine for it. */
export interface Clock {
  /** Monotonic milliseconds, fractional, of unknown origin. Every rate, wait and deadline is measured on it. */
  now(): number;
  /** Milliseconds since the epoch. Only anchors of days and months, headers and logs read it: it may jump. */
  wallNow(): number;
  /** Runs `task` once, about `delayMs` from now. Timers may fire early: whoever is woken looks at `now()` again. */
  schedule(delayMs: number, task: () => void): Cancel;
}

/** Longest delay that Node's timers take; a longer one fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  schedule: (delayMs, task) => {
    const timer = setTimeout(task, Math.min(Math.max(0, delayMs), MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};
