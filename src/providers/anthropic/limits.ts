import type { UpstreamHeaders } from '../../upstream/transport.ts';
import { type RateHeaderRow, readRateHeaders } from '../openai-shaped/rate-headers.ts';
import { MINUTE_MS } from '../openai-shaped/spans-of-time.ts';
import type { LimitFacts, LimitReading } from '../provider.ts';

/**
 * Buckets that refill evenly (platform.claude.com/docs/en/api/rate-limits). The page says that requests may be held to an even
 * pace as well; the headers show a whole minute's worth at once, so that is left to a configured `slice`.
 */
export const MESSAGES_LIMITS: LimitFacts = {
  algorithm: 'token-bucket',
  burst: 1,
  isGuess: false,
  hasHeaders: true,
  requestSliceMs: null,
  isChargedAtEnd: false,
  familyOf,
};

const REQUESTS = row('requests', 'requests');
const APART = [row('input_tokens', 'input-tokens'), row('output_tokens', 'output-tokens')];
const TOGETHER = row('tokens', 'tokens');

/**
 * What the head of an answer says of limits. The figures for all tokens are those of whichever limit is the tightest, which
 * may well count input only, so they are believed only where input and output aren't told apart. Those of priority and fast
 * requests (`anthropic-priority-*`, `anthropic-fast-*`) and of subscriptions (`...-unified-*`) are other pools.
 */
export function readMessagesLimits(headers: UpstreamHeaders): readonly LimitReading[] {
  const exact = readRateHeaders(headers, [REQUESTS, ...APART]);
  const isApart = exact.some(({ unit }) => unit !== 'requests');
  return isApart ? exact : readRateHeaders(headers, [REQUESTS, TOGETHER]);
}

function row(unit: RateHeaderRow['unit'], name: string): RateHeaderRow {
  const header = `anthropic-ratelimit-${name}`;
  return {
    unit,
    windowMs: MINUTE_MS,
    limit: `${header}-limit`,
    remaining: `${header}-remaining`,
    reset: `${header}-reset`,
    mayBeDay: false,
  };
}

/**
 * All Opus 4 models draw on one pool, and all Sonnet 4 models on another; elsewhere each model has its own, whichever of its
 * dated or undated names it is asked by.
 */
function familyOf(model: string): string | null {
  const shared = /^claude-(?:opus|sonnet)-4(?=-|$)/.exec(model)?.[0];
  if (shared !== undefined) return `${shared}*`;
  return model.startsWith('claude-') ? `${model.replace(/-(?:\d{8}|latest)$/, '')}*` : null;
}
