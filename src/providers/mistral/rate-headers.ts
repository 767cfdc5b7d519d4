import { type RateHeaderRow, row } from '../openai-shaped/rate-headers.ts';
import { MINUTE_MS } from '../openai-shaped/spans-of-time.ts';

/** The window is named last, and no reset is told. */
export const MISTRAL_HEADERS: readonly RateHeaderRow[] = [
  { ...row('requests', 'req-minute', MINUTE_MS), reset: null },
  { ...row('tokens', 'tokens-minute', MINUTE_MS), reset: null },
];
