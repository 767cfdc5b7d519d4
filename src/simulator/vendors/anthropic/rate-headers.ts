import type { Headers, RateFacts } from '../../api/vendor-api.ts';
import { httpDate, rfc3339 } from '../../calendar.ts';
import type { UpstreamLimit } from '../../limits/upstream-limit.ts';

const MINUTE_MS = 60_000;

/** What is left of tokens is told in thousands. */
const TOKEN_STEP = 1000;

/**
 * Four sets of three; `tokens` tells of whichever limit of tokens has least left. Resets are instants at which a limit is
 * full again, on the vendor's clock, which the date is of too.
 */
export function anthropicRateHeaders({ limits, nowMs }: RateFacts): Headers {
  const headers: Record<string, string> = { date: httpDate(nowMs) };
  const add = (name: string, limit: UpstreamLimit | undefined, step: number): void => {
    if (limit === undefined) return;
    const { level, fullInMs } = limit.read(nowMs);
    const left = Math.max(0, Math.floor(level + 1e-6));
    headers[`anthropic-ratelimit-${name}-limit`] = String(limit.spec.limit);
    headers[`anthropic-ratelimit-${name}-remaining`] = String(Math.round(left / step) * step);
    headers[`anthropic-ratelimit-${name}-reset`] = rfc3339(nowMs + fullInMs);
  };
  const leastLeft = (isMeant: (limit: UpstreamLimit) => boolean): UpstreamLimit | undefined =>
    limits
      .filter((limit) => limit.spec.windowMs === MINUTE_MS && isMeant(limit))
      .reduce<UpstreamLimit | undefined>(
        (best, limit) => (best && best.read(nowMs).level <= limit.read(nowMs).level ? best : limit),
        undefined,
      );
  add(
    'requests',
    leastLeft(({ spec }) => spec.unit === 'requests'),
    1,
  );
  add(
    'tokens',
    leastLeft(({ spec }) => ['input', 'output', 'total'].includes(spec.unit)),
    TOKEN_STEP,
  );
  add(
    'input-tokens',
    leastLeft(({ spec }) => spec.unit === 'input'),
    TOKEN_STEP,
  );
  add(
    'output-tokens',
    leastLeft(({ spec }) => spec.unit === 'output'),
    TOKEN_STEP,
  );
  return headers;
}
