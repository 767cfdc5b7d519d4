import type { Unit } from '../charge.ts';
import type { Clock } from '../clock.ts';
import { type EffectiveLimits, LIMIT_MEANING, LIMIT_NAMES, type LimitSetting } from '../config/limits.ts';
import type { LimitFacts } from '../providers/provider.ts';
import type { LimitPlan } from '../scheduler/limits/create-limits.ts';
import type { NamedPlan } from '../scheduler/quota.ts';
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
    return [
      {
        name,
        plan: { ...windowPlan(withSlice(setting, unit, facts), facts, clock), unit, windowMs, capacity: setting.limit },
        isChargedAtEnd: facts.isChargedAtEnd && unit !== 'requests',
      },
    ];
  });
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
): Pick<LimitPlan, 'algorithm' | 'isGuess' | 'burst' | 'sliceMs' | 'boundaries'> {
  const isAnchored = setting.resets !== undefined;
  const algorithm = setting.algorithm ?? (isAnchored ? 'fixed-window' : facts.algorithm);
  const isGuess = facts.isGuess && setting.algorithm === undefined && !isAnchored;
  return {
    // A window of unknown phase is booked as a sliding one, which is safe for every phase.
    algorithm: algorithm === 'fixed-window' && !isAnchored ? 'sliding-window' : algorithm,
    isGuess,
    ...(setting.burst === undefined ? {} : { burst: setting.burst }),
    ...(setting.sliceMs === undefined ? {} : { sliceMs: setting.sliceMs }),
    ...(setting.resets === undefined ? {} : { boundaries: dailyWindow(setting.resets, clock) }),
  };
}
