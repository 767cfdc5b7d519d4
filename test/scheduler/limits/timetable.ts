import { Heap } from '../../../src/scheduler/heap.ts';

/** Runs what is due in the order of time. What is due at the same instant runs in any order. */
export class Timetable {
  readonly #tasks = new Heap<{ at: number; run: () => void }>(({ at }) => at);
  now = 0;

  at(instant: number, run: () => void): void {
    this.#tasks.push({ at: Math.max(this.now, instant), run });
  }

  runUntil(end: number): void {
    for (let next = this.#tasks.peek(); next && next.at <= end; next = this.#tasks.peek()) {
      this.#tasks.pop();
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }
}
