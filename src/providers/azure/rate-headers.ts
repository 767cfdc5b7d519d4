import { type RateHeaderRow, row } from '../openai-shaped/rate-headers.ts';
import { MINUTE_MS } from '../openai-shaped/spans-of-time.ts';

/** OpenAI's names with the length of the window told beside them, and resets in bare seconds, which are often 0. */
export const AZURE_HEADERS: readonly RateHeaderRow[] = [
  { ...row('requests', 'requests', MINUTE_MS), reset: null, period: 'x-ratelimit-renewalperiod-requests' },
  // Nearly all is shown as left while half of the minute's tokens are gone: others have measured that it counts far less
  // than a minute.
  {
    ...row('tokens', 'tokens', MINUTE_MS),
    reset: null,
    period: 'x-ratelimit-renewalperiod-tokens',
    isAtMost: true,
  },
];
