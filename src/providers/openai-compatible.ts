import { openAiShaped, type VendorFacts } from './openai-shaped/openai-shaped.ts';
import { LISTS_MODELS_AT_A_COST } from './openai-shaped/probe-calls.ts';
import { OPENAI_HEADERS } from './openai-shaped/rate-headers.ts';

/** What holds for a server of which nothing is known but its format; the vendors' tables start from it. */
export const UNKNOWN_SERVER: Omit<VendorFacts, 'type' | 'baseUrl'> = {
  // Nothing is held back: whether such a server can do a thing is its own to say.
  offers: ['tools', 'vision', 'json_schema', 'audio', 'files', 'logprobs', 'n'],
  operations: ['chat', 'completions', 'embeddings', 'responses'],
  limits: {
    algorithm: 'sliding-window',
    burst: 0.25,
    isGuess: true,
    hasHeaders: false,
    requestSliceMs: null,
    isChargedAtEnd: false,
  },
  ownModels: [],
  streamUsage: 'ask',
  probe: LISTS_MODELS_AT_A_COST,
  charge: { reserves: 'cap', settlesTo: 'usage', isCachedFree: false },
  // Many send OpenAI's headers; where there are none nothing is read.
  rateHeaders: OPENAI_HEADERS,
  usage: { isReasoningApart: false },
};

export const openaiCompatible = openAiShaped({
  ...UNKNOWN_SERVER,
  type: 'openai-compatible',
  baseUrl: null,
  // Google's endpoint in this format calls tools so, and some gateways do.
  faults: { hasLooseCalls: true },
});
