import type { Limit } from '../scheduler/limits/limit.ts';
import type { ModelRoutes } from '../scheduler/model-routes.ts';
import type { Quota } from '../scheduler/quota.ts';

const MINUTE_MS = 60_000;

interface UnitNames {
  readonly unit: 'requests' | 'tokens';
  readonly limit: string;
  readonly remaining: string;
  readonly reset: string;
}

/** Written out: names that are put together anew for every answer cost more than all the figures. */
const UNITS: readonly UnitNames[] = [
  {
    unit: 'requests',
    limit: 'x-ratelimit-limit-requests',
    remaining: 'x-ratelimit-remaining-requests',
    reset: 'x-ratelimit-reset-requests',
  },
  {
    unit: 'tokens',
    limit: 'x-ratelimit-limit-tokens',
    remaining: 'x-ratelimit-remaining-tokens',
    reset: 'x-ratelimit-reset-tokens',
  },
];

/**
 * OpenAI's six `x-ratelimit-*` for a model: what its upstream quotas admit in a minute, together; of each, the limit that
 * binds. A unit for which one of them has no known limit is left out, since a sum without it would be too small. Targets
 * that stand by until others are down are not counted: their limits are not there to be used.
 */
export function rateHeaders(model: ModelRoutes, now: number): Record<string, string> {
  const shared = sharedQuotas(model);
  const headers: Record<string, string> = {};
  for (const names of UNITS) addUnit(headers, names, { shared, now });
  return headers;
}

type SharedQuotas = ReadonlyMap<Quota, readonly Quota[]>;

/** By the upstream's quota for its model: every quota that covers all routes there; a limit of one key alone does not. */
function sharedQuotas({ options, after }: ModelRoutes): SharedQuotas {
  const shared = new Map<Quota, readonly Quota[]>();
  for (const { route, target } of options) {
    if (target > 0 && after[target] === 'down') continue;
    const [own] = route.quotas;
    const known = shared.get(own);
    shared.set(own, known?.filter((quota) => route.quotas.includes(quota)) ?? route.quotas);
  }
  return shared;
}

function addUnit(
  headers: Record<string, string>,
  names: UnitNames,
  { shared, now }: { readonly shared: SharedQuotas; readonly now: number },
): void {
  const binding = new Set<Limit>();
  for (const quotas of shared.values()) {
    const limit = bindingLimit(quotas, names.unit, now);
    if (limit === null) return;
    binding.add(limit);
  }
  if (binding.size === 0) return;
  let capacity = 0;
  let remaining = 0;
  let resetMs = 0;
  for (const limit of binding) {
    capacity += limit.capacity;
    remaining += Math.max(0, Math.floor(limit.level(now)));
    resetMs = Math.max(resetMs, limit.fullInMs(now));
  }
  headers[names.limit] = String(capacity);
  headers[names.remaining] = String(remaining);
  headers[names.reset] = goDuration(resetMs);
}

/** The minute's limit of which least is left; null when none is known. */
function bindingLimit(quotas: readonly Quota[], unit: UnitNames['unit'], now: number): Limit | null {
  let binding: Limit | null = null;
  for (const { limits } of quotas) {
    for (const { primary } of limits) {
      const isMeant = primary.unit === unit && primary.windowMs === MINUTE_MS && Number.isFinite(primary.capacity);
      if (isMeant && (binding === null || primary.level(now) < binding.level(now))) binding = primary;
    }
  }
  return binding;
}

/** As OpenAI writes durations: `120ms`, `1.5s`, `6m0s`. */
function goDuration(ms: number): string {
  const whole = Math.ceil(ms);
  if (whole < 1000) return `${whole}ms`;
  const minutes = Math.floor(whole / MINUTE_MS);
  const seconds = `${(whole % MINUTE_MS) / 1000}s`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
