import type { Unit } from '../../charge.ts';
import { type Boundaries, FixedWindow } from './fixed-window.ts';
import { InFlight } from './in-flight.ts';
import type { Limit } from './limit.ts';
import { Pace, type PaceOptions } from './pace.ts';
import { SlidingWindow } from './sliding-window.ts';
import { TokenBucket } from './token-bucket.ts';

/** What is known, or configured, about one upstream limit. */
export interface LimitPlan {
  readonly unit: Unit;
  /** 0 for what is in flight. */
  readonly windowMs: number;
  /** Infinity: not known yet. */
  readonly capacity: number;
  readonly algorithm: 'token-bucket' | 'sliding-window' | 'fixed-window' | 'in-flight';
  /** Nobody said which algorithm it is: the books are the strictest, and the pace adapts to refusals. */
  readonly isGuess: boolean;
  /**
   * Share of one window that may go at once, above 0 and up to 1. Default: 1; 0.25 for requests on a window and for
   * guesses.
   */
  readonly burst?: number;
  /** The same limit holds in each slice of this length, in proportion. */
  readonly sliceMs?: number;
  /** Default: 250 ms; 1 % of windows under a minute. */
  readonly skewMs?: number;
  /** Where a fixed window begins and ends. Without it the books are those of a sliding one, safe for any. */
  readonly boundaries?: Boundaries;
  /** What names those boundaries: equal names are equal windows. */
  readonly anchor?: string;
}

/**
 * The books for one upstream limit. The first keeps the limit itself; those after it, a pace and slices, are booked along
 * with it for each lease.
 */
export function createLimits(plan: LimitPlan): Limit[] {
  if (plan.algorithm === 'in-flight') return [new InFlight(plan)];
  const skewMs = plan.skewMs ?? usualSkewMs(plan);
  return [createBooks({ ...plan, skewMs }), ...createPace(plan), ...createSlices({ ...plan, skewMs })];
}

/** The pace of a limit whose algorithm is a guess: refusals without an explanation lower its burst, quiet raises it. */
export class AdaptivePace extends Pace {
  readonly #most: number;

  constructor(options: PaceOptions) {
    super(options);
    this.#most = options.burst;
  }

  /** Down to one unit, at which each request waits until the one before is paid for. */
  halveBurst(now: number): void {
    this.setBurst(Math.max(this.burst / 2, Math.min(this.#most, 1 / this.capacity)), now);
  }

  /** Up to what it was at first. */
  raiseBurst(now: number): void {
    this.setBurst(Math.min(this.burst * 1.25, this.#most), now);
  }
}

type WithSkew = LimitPlan & { readonly skewMs: number };

function createBooks(plan: WithSkew): Limit {
  if (plan.algorithm === 'fixed-window' && plan.boundaries) {
    return new FixedWindow({ ...plan, boundaries: plan.boundaries });
  }
  const isBucket = plan.algorithm === 'token-bucket' && !plan.isGuess;
  return isBucket ? new TokenBucket({ ...plan, burst: plan.burst ?? 1 }) : new SlidingWindow(plan);
}

/**
 * Pacing shortens the gap that a window's own burst leaves behind. Requests count one each, and lose nothing by it; large
 * token costs that are kept apart fit a window less well, by up to a tenth of it, so they are paced only where they must.
 * What is spread over a day would make whoever comes first wait for hours beside a limit that is hardly used.
 */
function createPace(plan: LimitPlan): Limit[] {
  const { unit, algorithm, isGuess, windowMs } = plan;
  if (windowMs > LONGEST_PACED_MS && plan.burst === undefined) return [];
  const isPaced = isGuess || (unit === 'requests' && algorithm !== 'token-bucket');
  const burst = plan.burst ?? (isPaced ? PACED_BURST : 1);
  if (isGuess) return [new AdaptivePace({ ...plan, burst })];
  return algorithm === 'token-bucket' || burst >= 1 ? [] : [new Pace({ ...plan, burst })];
}

/** A slice allows for less skew than its window: as a share of a second it would cost too much. */
function createSlices({ unit, windowMs, capacity, sliceMs, skewMs }: WithSkew): Limit[] {
  if (sliceMs === undefined) return [];
  const share = Math.max(1, Math.floor((capacity * sliceMs) / windowMs));
  return [
    new SlidingWindow({ unit, windowMs: sliceMs, capacity: share, skewMs: Math.min(skewMs, shortSkewMs(sliceMs)) }),
  ];
}

function usualSkewMs({ algorithm, windowMs }: LimitPlan): number {
  return algorithm === 'token-bucket' || windowMs >= MINUTE_MS ? SKEW_MS : shortSkewMs(windowMs);
}

function shortSkewMs(windowMs: number): number {
  return Math.min(SKEW_MS, windowMs / 100);
}

const SKEW_MS = 250;
const MINUTE_MS = 60_000;
const LONGEST_PACED_MS = 10 * MINUTE_MS;
const PACED_BURST = 0.25;
