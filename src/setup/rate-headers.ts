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
 * OpenAI's six `x-ratelimit-*` for a model: what all quotas that it draws on admit in a minute, together. A unit for which
 * one of them has no known limit is left out, since a sum without it would be too small.
 */
export function rateHeaders(model: ModelRoutes, now: number): Record<string, string> {
  const quotas = new Set(model.options.map(({ route }) => route.quotas[0]));
  const headers: Record<string, string> = {};
  for (const names of UNITS) addUnit(headers, names, { quotas, now });
  return headers;
}

function addUnit(
  headers: Record<string, string>,
  names: UnitNames,
  { quotas, now }: { readonly quotas: ReadonlySet<Quota>; readonly now: number },
): void {
  let limit = 0;
  let remaining = 0;
  let resetMs = 0;
  for (const { limits } of quotas) {
    const known = limits.find(({ primary }) => primary.unit === names.unit && primary.windowMs === MINUTE_MS)?.primary;
    if (!known || !Number.isFinite(known.capacity)) return;
    limit += known.capacity;
    remaining += Math.max(0, Math.floor(known.level(now)));
    resetMs = Math.max(resetMs, known.fullInMs(now));
  }
  headers[names.limit] = String(limit);
  headers[names.remaining] = String(remaining);
  headers[names.reset] = goDuration(resetMs);
}

/** As OpenAI writes durations: `120ms`, `1.5s`, `6m0s`. */
function goDuration(ms: number): string {
  const whole = Math.ceil(ms);
  if (whole < 1000) return `${whole}ms`;
  const minutes = Math.floor(whole / MINUTE_MS);
  const seconds = `${(whole % MINUTE_MS) / 1000}s`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
