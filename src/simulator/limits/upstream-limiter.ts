import { type LimitSpec, type LimitsOptions, limitSpecs } from './limit-spec.ts';
import { type Entry, GRAIN_MS } from './meter.ts';
import { type AskedSize, UpstreamLimit, type UsedSize } from './upstream-limit.ts';

/** The charges of one admitted request. */
export interface Handle {
  readonly entries: readonly (Entry | null)[];
  /** What each limit has charged of an answer that is still coming. */
  readonly grown: number[];
  isOpen: boolean;
}

/** Why a request is refused: of all limits that have no room, the one that takes longest to have it. */
export interface Refusal {
  readonly isAdmitted: false;
  readonly limit: UpstreamLimit;
  readonly requested: number;
  /** Until it would fit, if nothing else came; Infinity: never. */
  readonly waitMs: number;
}

export type Verdict = { readonly isAdmitted: true; readonly handle: Handle } | Refusal;

/**
 * All limits that cover a request. It is admitted when every one has room, and charged on all of them or on none. Limits
 * may be shared with other limiters: keys of one organisation, models of one family.
 */
export class UpstreamLimiter {
  readonly limits: readonly UpstreamLimit[];

  constructor(limits: readonly UpstreamLimit[]) {
    this.limits = limits;
  }

  admit(nowMs: number, size: AskedSize): Verdict {
    let refusal: Refusal | null = null;
    const amounts = this.limits.map((limit) => limit.amountOf(size));
    for (const [index, limit] of this.limits.entries()) {
      const requested = amounts[index] ?? 0;
      const waitMs = limit.waitMs(nowMs, requested);
      if (waitMs <= GRAIN_MS || (refusal && refusal.waitMs >= waitMs)) continue;
      refusal = { isAdmitted: false, limit, requested, waitMs };
    }
    if (refusal) {
      refusal.limit.refuse();
      return refusal;
    }
    const entries = this.limits.map((limit, index) => limit.take(nowMs, amounts[index] ?? 0));
    return { isAdmitted: true, handle: { entries, grown: entries.map(() => 0), isOpen: true } };
  }

  /** Tells how much of an answer has come. */
  grow(nowMs: number, handle: Handle, used: UsedSize): void {
    if (!handle.isOpen) return;
    for (const [index, limit] of this.limits.entries()) {
      handle.grown[index] = limit.grow(nowMs, used, handle.grown[index] ?? 0);
    }
  }

  /** Settles a request that has ended, however it did. A second time does nothing. */
  finish(nowMs: number, handle: Handle, used: UsedSize): void {
    if (!handle.isOpen) return;
    this.grow(nowMs, handle, used);
    handle.isOpen = false;
    for (const [index, limit] of this.limits.entries()) limit.finish(nowMs, handle.entries[index] ?? null, used);
  }
}

/** A limiter of its own, for simulations without sockets. */
export function createUpstreamLimiter(limits: LimitsOptions, nowMs = 0): UpstreamLimiter {
  return new UpstreamLimiter(createLimits(limits, nowMs));
}

export function createLimits(limits: LimitsOptions, nowMs: number): UpstreamLimit[] {
  return limitSpecs(limits).map((spec: LimitSpec) => new UpstreamLimit(spec, nowMs));
}
