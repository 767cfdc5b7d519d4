import type { Unit } from '../charge.ts';
import type { Clock } from '../clock.ts';
import { type EffectiveLimits, LIMIT_MEANING, LIMIT_NAMES, type LimitSetting } from '../config/limits.ts';
import type { DailyReset } from '../config/units.ts';
import type { LimitFacts } from '../providers/provider.ts';
import type { LimitPlan } from '../scheduler/limits/create-limits.ts';
import type { NamedPlan, QuotaOptions, TaughtLimit } from '../scheduler/quota.ts';
import { dailyWindow } from './daily-window.ts';

/** Configured limits as the scheduler books them; what the configuration leaves open is a fact of the vendor. */
export function limitPlans(limits: EffectiveLimits, facts: LimitFacts, clock: Clock): NamedPlan[] {
  return LIMIT_NAMES.flatMap((name) => {
    const setting = limits[name];
    if (!setting) return [];
    const { unit, windowMs } = LIMIT_MEANING[name];
    if (windowMs === null) {
      const plan: LimitPlan = { unit, windowMs: 0, capacity: setting.limit, algorithm: 'in-flight', isGuess: false };
      return [{ name, plan }];
    }
    return [{ name, ...planOf(setting, { unit, windowMs, capacity: setting.limit }, { facts, clock }) }];
  });
}

/** How a vendor enforces the limits that only its answers tell of, and when its day begins. */
export function learningFacts(facts: LimitFacts, clock: Clock): Pick<QuotaOptions, 'learned' | 'dayOf'> {
  const { dayBegins, isGuess } = facts;
  return {
    // What tells its limits tells how much is left, too: books that refill evenly are corrected all the time.
    ...(isGuess ? {} : { learned: (limit) => planOf({ limit: limit.capacity }, limit, { facts, clock }) }),
    ...(dayBegins === undefined ? {} : { dayOf: dailyWindow(dayBegins, clock) }),
  };
}

interface Surroundings {
  readonly facts: LimitFacts;
  readonly clock: Clock;
}

function planOf(setting: LimitSetting, limit: TaughtLimit, { facts, clock }: Surroundings): Omit<NamedPlan, 'name'> {
  const resets = limit.windowMs === DAY_MS ? usualReset(setting, facts) : null;
  const anchored = resets === null ? setting : { ...setting, resets };
  return {
    plan: { ...windowPlan(withSlice(anchored, limit.unit, facts), facts, clock), ...limit },
    isChargedAtEnd: facts.isChargedAtEnd && limit.unit !== 'requests',
  };
}

/** Where the configuration says neither how a day is counted nor when it begins, the vendor's own day counts. */
function usualReset({ resets, algorithm }: LimitSetting, { dayBegins }: LimitFacts): DailyReset | null {
  const isOpen = algorithm === undefined || algorithm === 'fixed-window';
  return resets ?? (isOpen ? dayBegins : undefined) ?? null;
}

/** Some vendors hold requests to an even pace, whatever the window of the number they state. */
function withSlice(setting: LimitSetting, unit: Unit, { requestSliceMs }: LimitFacts): LimitSetting {
  if (unit !== 'requests' || requestSliceMs === null || setting.sliceMs !== undefined) return setting;
  return { ...setting, sliceMs: requestSliceMs };
}

function windowPlan(
  setting: LimitSetting,
  facts: LimitFacts,
  clock: Clock,
): Pick<LimitPlan, 'algorithm' | 'isGuess' | 'burst' | 'sliceMs' | 'boundaries' | 'anchor'> {
  const isAnchored = setting.resets !== undefined;
  const algorithm = setting.algorithm ?? (isAnchored ? 'fixed-window' : facts.algorithm);
  const isGuess = facts.isGuess && setting.algorithm === undefined && !isAnchored;
  return {
    // A window of unknown phase is booked as a sliding one, which is safe for every phase.
    algorithm: algorithm === 'fixed-window' && !isAnchored ? 'sliding-window' : algorithm,
    isGuess,
    ...(setting.burst === undefined ? {} : { burst: setting.burst }),
    ...(setting.sliceMs === undefined ? {} : { sliceMs: setting.sliceMs }),
    ...(setting.resets === undefined ? {} : anchoredAt(setting.resets, clock)),
  };
}

function anchoredAt(resets: DailyReset, clock: Clock): Pick<LimitPlan, 'boundaries' | 'anchor'> {
  return { boundaries: dailyWindow(resets, clock), anchor: `${resets.minuteOfDay} ${resets.timeZone}` };
}

const DAY_MS = 86_400_000;
