import { goDuration } from './go-duration.ts';
import type { LimitUnit } from './limits/limit-spec.ts';
import type { UpstreamLimit } from './limits/upstream-limit.ts';
import type { HeaderStyle } from './options.ts';

const DAY_MS = 86_400_000;

/** The six `x-ratelimit-*` headers, as far as there are limits to tell of. Resets say when the limit is full again. */
export function rateHeaders(
  limits: readonly UpstreamLimit[],
  nowMs: number,
  style: HeaderStyle,
): Record<string, string> {
  const headers: Record<string, string> = {};
  if (style === 'none') return headers;
  const add = (name: string, limit: UpstreamLimit | null): void => {
    if (limit === null) return;
    const { level, fullInMs } = limit.read(nowMs);
    headers[`x-ratelimit-limit-${name}`] = String(limit.spec.limit);
    headers[`x-ratelimit-remaining-${name}`] = String(Math.max(0, Math.floor(level + 1e-6)));
    headers[`x-ratelimit-reset-${name}`] = goDuration(fullInMs);
  };
  add('requests', shown(limits, { unit: 'requests', isDay: style === 'groq', nowMs }));
  add('tokens', shown(limits, { unit: 'total', isDay: false, nowMs }));
  return headers;
}

/** The limit that the headers of a unit tell of: the preferred window's, and of several the one with least left. */
function shown(
  limits: readonly UpstreamLimit[],
  { unit, isDay, nowMs }: { unit: LimitUnit; isDay: boolean; nowMs: number },
): UpstreamLimit | null {
  const rank = ({ spec }: UpstreamLimit): number => {
    const isOtherWindow = (spec.windowMs === DAY_MS) !== isDay;
    return (isOtherWindow ? 2 : 0) + (spec.algorithm === 'slices' ? 1 : 0);
  };
  let best: UpstreamLimit | null = null;
  for (const limit of limits) {
    if (limit.spec.unit !== unit) continue;
    const isBetter =
      best === null ||
      rank(limit) < rank(best) ||
      (rank(limit) === rank(best) && limit.read(nowMs).level < best.read(nowMs).level);
    if (isBetter) best = limit;
  }
  return best;
}
