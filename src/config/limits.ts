import type { Unit } from '../charge.ts';
import type { DailyReset } from './units.ts';

export const LIMIT_NAMES = ['rpm', 'rpd', 'tpm', 'tpd', 'itpm', 'otpm', 'concurrency'] as const;
export type LimitName = (typeof LIMIT_NAMES)[number];

export const ALGORITHMS = ['token-bucket', 'sliding-window', 'fixed-window'] as const;
type Algorithm = (typeof ALGORITHMS)[number];

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** What each limit counts, and over which time; null for what is in flight at once. */
export const LIMIT_MEANING: Readonly<Record<LimitName, { readonly unit: Unit; readonly windowMs: number | null }>> = {
  rpm: { unit: 'requests', windowMs: MINUTE_MS },
  rpd: { unit: 'requests', windowMs: DAY_MS },
  tpm: { unit: 'tokens', windowMs: MINUTE_MS },
  tpd: { unit: 'tokens', windowMs: DAY_MS },
  itpm: { unit: 'input_tokens', windowMs: MINUTE_MS },
  otpm: { unit: 'output_tokens', windowMs: MINUTE_MS },
  concurrency: { unit: 'in_flight', windowMs: null },
};

/** One limit as configured. What is absent is a fact of the provider's type. */
export interface LimitSetting {
  /** In the limit's unit, per its window. */
  readonly limit: number;
  readonly algorithm?: Algorithm;
  /** Share of one window that may be used at once, above 0 and up to 1. */
  readonly burst?: number;
  /** The same limit holds in each slice of this length too, in proportion. */
  readonly sliceMs?: number;
  /** When a fixed window of a day begins. */
  readonly resets?: DailyReset;
}

/** By name; `none` removes what a more general place says, an absent name leaves it. */
export type Limits = { readonly [Name in LimitName]?: LimitSetting | 'none' };

/** What holds after all merging. */
export type EffectiveLimits = { readonly [Name in LimitName]?: LimitSetting };

/** The same limits without the names that have no value, so that spreading them over others keeps the others. */
export function withoutAbsent(limits: { readonly [Name in LimitName]?: LimitSetting | 'none' | undefined }): Limits {
  const given = LIMIT_NAMES.flatMap((name) => {
    const setting = limits[name];
    return setting === undefined ? [] : [[name, setting] as const];
  });
  return Object.fromEntries(given);
}

/** What several places say together: later ones win, limit by limit; `none` leaves nothing of what came before. */
export function effectiveLimits(limits: readonly Limits[]): EffectiveLimits {
  const held = LIMIT_NAMES.flatMap((name): [LimitName, LimitSetting][] => {
    const setting = limits.findLast((place) => place[name] !== undefined)?.[name];
    return setting === undefined || setting === 'none' ? [] : [[name, setting]];
  });
  return Object.fromEntries(held);
}
