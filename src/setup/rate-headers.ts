import type { ModelRoutes } from '../scheduler/model-routes.ts';
import type { Quota } from '../scheduler/quota.ts';

const MINUTE_MS = 60_000;

/**
 * OpenAI's six `x-ratelimit-*` for a model: what all quotas that it draws on admit in a minute, together. A unit for which
 * one of them has no known limit is left out, since a sum without it would be too small.
 */
export function rateHeaders(model: ModelRoutes, now: number): Record<string, string> {
  const quotas = new Set(model.options.map(({ route }) => route.quotas[0]));
  return { ...unitHeaders(quotas, 'requests', now), ...unitHeaders(quotas, 'tokens', now) };
}

function unitHeaders(quotas: ReadonlySet<Quota>, unit: 'requests' | 'tokens', now: number): Record<string, string> {
  let limit = 0;
  let remaining = 0;
  let resetMs = 0;
  for (const { limits } of quotas) {
    const known = limits.find(({ primary }) => primary.unit === unit && primary.windowMs === MINUTE_MS)?.primary;
    if (!known || !Number.isFinite(known.capacity)) return {};
    limit += known.capacity;
    remaining += Math.max(0, Math.floor(known.level(now)));
    resetMs = Math.max(resetMs, known.fullInMs(now));
  }
  return {
    [`x-ratelimit-limit-${unit}`]: String(limit),
    [`x-ratelimit-remaining-${unit}`]: String(remaining),
    [`x-ratelimit-reset-${unit}`]: goDuration(resetMs),
  };
}

/** As OpenAI writes durations: `120ms`, `1.5s`, `6m0s`. */
export function goDuration(ms: number): string {
  const whole = Math.ceil(ms);
  if (whole < 1000) return `${whole}ms`;
  const minutes = Math.floor(whole / MINUTE_MS);
  const seconds = `${(whole % MINUTE_MS) / 1000}s`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
