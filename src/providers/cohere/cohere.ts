import { type ChargeRule, reservedBy, settledBy } from '../openai-shaped/charge-rules.ts';
import { readRateHeaders } from '../openai-shaped/rate-headers.ts';
import type { Provider } from '../provider.ts';
import { chatWire } from './chat-wire.ts';
import { embeddingsWire } from './embeddings-wire.ts';
import { classify, readError } from './failure.ts';
import { COHERE_HEADERS } from './rate-headers.ts';
import { readUsage } from './usage.ts';

/** Calls are what is limited; a trial's tokens are, too, and how they are counted is not documented. */
const CHARGE: ChargeRule = { reserves: 'prediction', settlesTo: 'usage', isCachedFree: false };

/**
 * Cohere over the second version of its own API. Calls a minute are limited by model and kind of key, those of a trial by the
 * month as well (docs.cohere.com/docs/rate-limits).
 */
export const cohere: Provider = {
  type: 'cohere',
  baseUrl: 'https://api.cohere.com/v2',
  offers: ['tools', 'vision', 'json_schema', 'logprobs'],
  limits: {
    // When a minute begins is not told: it is booked so that any beginning is safe.
    algorithm: 'fixed-window',
    burst: 1,
    isGuess: false,
    hasHeaders: true,
    requestSliceMs: null,
    isChargedAtEnd: false,
  },
  ownModels: ['command-*', 'c4ai-*', 'embed-v*', 'embed-english-*', 'embed-multilingual-*'],
  streamUsage: 'always',
  wires: { chat: chatWire, embeddings: embeddingsWire },
  // Only the first version of its API lists models. A trial's calls of a month are counted over all endpoints.
  probe: { path: (basePath) => `${basePath.replace(/\/v2$/, '/v1')}/models?page_size=1`, isCounted: true },
  reservedCharge: (size) => reservedBy(CHARGE, size),
  settledCharge: (usage, reserved) => settledBy(CHARGE, usage, reserved),
  readLimits: (headers) => readRateHeaders(headers, COHERE_HEADERS),
  readUsage,
  classify,
  readError,
};
