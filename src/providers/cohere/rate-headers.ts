import type { RateHeaderRow } from '../openai-shaped/rate-headers.ts';
import { MINUTE_MS } from '../openai-shaped/spans-of-time.ts';

/**
 * Sent to trial keys only, and documented nowhere. What the month allows (`x-endpoint-monthly-call-limit`) is not read: nobody
 * tells what is left of it or when it ends, and the refusal says so when it is gone.
 */
export const COHERE_HEADERS: readonly RateHeaderRow[] = [
  {
    unit: 'requests',
    windowMs: MINUTE_MS,
    limit: 'x-trial-endpoint-call-limit',
    remaining: 'x-trial-endpoint-call-remaining',
    reset: null,
    mayBeDay: false,
  },
];
