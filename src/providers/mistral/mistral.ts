import { type ChargeRule, reservedBy, settledBy } from '../openai-shaped/charge-rules.ts';
import { LISTS_MODELS_AT_A_COST } from '../openai-shaped/probe-calls.ts';
import { readRateHeaders } from '../openai-shaped/rate-headers.ts';
import type { Provider } from '../provider.ts';
import { chatWire } from './chat-wire.ts';
import { embeddingsWire } from './embeddings-wire.ts';
import { classify, readError } from './failure.ts';
import { MISTRAL_HEADERS } from './rate-headers.ts';
import { readUsage } from './usage.ts';

/** Only what was used counts; we hold what a request will probably come to, so that several at once do not overshoot. */
const CHARGE: ChargeRule = { reserves: 'prediction', settlesTo: 'usage', isCachedFree: false };

/**
 * Mistral. Its limits belong to a workspace and a model. Measured: 60 s sliding, bursts allowed, `usage.total_tokens` debited
 * when the answer ends, the cache counted fully.
 */
export const mistral: Provider = {
  type: 'mistral',
  baseUrl: 'https://api.mistral.ai/v1',
  offers: ['tools', 'vision', 'json_schema', 'n'],
  limits: {
    algorithm: 'sliding-window',
    burst: 1,
    isGuess: false,
    hasHeaders: true,
    requestSliceMs: null,
    isChargedAtEnd: true,
  },
  ownModels: [
    ...['mistral-*', 'ministral-*', 'codestral-*', 'magistral-*', 'devstral-*', 'pixtral-*', 'open-mi*', 'voxtral-*'],
  ],
  // It does so anyway, and refuses to be asked.
  streamUsage: 'always',
  wires: { chat: chatWire, embeddings: embeddingsWire },
  probe: LISTS_MODELS_AT_A_COST,
  reservedCharge: (size) => reservedBy(CHARGE, size),
  settledCharge: (usage, reserved) => settledBy(CHARGE, usage, reserved),
  readLimits: (headers) => readRateHeaders(headers, MISTRAL_HEADERS),
  readUsage,
  classify,
  readError,
};
