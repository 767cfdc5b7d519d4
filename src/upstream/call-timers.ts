import type { Cancel, Clock } from '../clock.ts';
import type { UpstreamTimeouts } from './transport.ts';

export type TimeoutKind = 'connect_timeout' | 'first_byte_timeout' | 'idle_timeout' | 'total_timeout';

/** A moment that must not be reached. `at` is on the clock's `now()`; infinite where nothing is due. */
interface Deadline {
  readonly kind: TimeoutKind;
  readonly at: number;
}

/**
 * The four timeouts of one call on a single timer.
 *
 * States: connecting (connectMs) -> waiting (`sent`: firstByteMs, totalMs) -> flowing (`firstEvent`: idleMs, totalMs)
 * -> stopped. The timer is armed lazily: a piece of the body only notes the time, and a timer that finds its deadline
 * moved sets itself again. A stream of thousands of events so costs a handful of timers.
 */
export class CallTimers {
  readonly #clock: Clock;
  readonly #timeouts: UpstreamTimeouts;
  readonly #onExpired: (kind: TimeoutKind) => void;
  #phase: 'connecting' | 'waiting' | 'flowing' | 'stopped' = 'connecting';
  /** Start of the phase or, flowing, of the silence; moved on by pauses. */
  #since: number;
  #sentAt = 0;
  #pausedAt: number | null = null;
  #cancel: Cancel | null = null;
  #armedFor = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, timeouts: UpstreamTimeouts, onExpired: (kind: TimeoutKind) => void) {
    this.#clock = clock;
    this.#timeouts = timeouts;
    this.#onExpired = onExpired;
    this.#since = clock.now();
    this.#arm(this.#deadline().at);
  }

  /** The request was handed to a connection. A second time, on a fresh connection, changes nothing. */
  sent(): void {
    if (this.#phase !== 'connecting') return;
    this.#phase = 'waiting';
    this.#sentAt = this.#clock.now();
    this.#since = this.#sentAt;
    this.#arm(this.#deadline().at);
  }

  firstEvent(): void {
    if (this.#phase !== 'waiting') return;
    this.#phase = 'flowing';
    this.#since = this.#clock.now();
    if (this.#pausedAt !== null) this.#pausedAt = this.#since;
    this.#arm(this.#deadline().at);
  }

  /** A piece of the body came. */
  piece(): void {
    if (this.#phase !== 'flowing') return;
    this.#since = this.#clock.now();
    if (this.#pausedAt !== null) this.#pausedAt = this.#since;
  }

  pause(): void {
    this.#pausedAt ??= this.#clock.now();
  }

  resume(): void {
    if (this.#pausedAt === null) return;
    if (this.#phase === 'flowing') this.#since += this.#clock.now() - this.#pausedAt;
    this.#pausedAt = null;
    this.#arm(this.#deadline().at);
  }

  stop(): void {
    this.#phase = 'stopped';
    this.#disarm();
  }

  #deadline(): Deadline {
    const { connectMs, firstByteMs, idleMs, totalMs } = this.#timeouts;
    if (this.#phase === 'connecting') return { kind: 'connect_timeout', at: this.#since + connectMs };
    const total: Deadline = { kind: 'total_timeout', at: this.#sentAt + totalMs };
    const next = this.#phase === 'waiting' ? this.#firstByte(firstByteMs) : this.#silence(idleMs);
    return next.at <= total.at ? next : total;
  }

  #firstByte(firstByteMs: number): Deadline {
    return { kind: 'first_byte_timeout', at: this.#since + firstByteMs };
  }

  /** While Sluice itself has paused, silence is its own doing. */
  #silence(idleMs: number): Deadline {
    return { kind: 'idle_timeout', at: this.#pausedAt === null ? this.#since + idleMs : Number.POSITIVE_INFINITY };
  }

  #arm(at: number): void {
    if (this.#phase === 'stopped' || at >= this.#armedFor) return;
    this.#disarm();
    this.#armedFor = at;
    this.#cancel = this.#clock.schedule(at - this.#clock.now(), () => this.#check());
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #check(): void {
    this.#disarm();
    const { kind, at } = this.#deadline();
    if (this.#clock.now() < at) this.#arm(at);
    else this.#onExpired(kind);
  }
}
