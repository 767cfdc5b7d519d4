import { capAs } from './openai-shaped/adapt-fields.ts';
import { openAiShaped, type VendorFacts } from './openai-shaped/openai-shaped.ts';
import { LISTS_MODELS } from './openai-shaped/probe-calls.ts';
import { OPENAI_HEADERS } from './openai-shaped/rate-headers.ts';

/**
 * OpenAI's guide on rate limits says that the larger of `max_tokens` and an estimate from the characters is charged; its own
 * cookbook (api_request_parallel_processor.py) charges the sum of prompt and cap. The sum is never too little, so we hold it
 * until the answer. What stays charged is documented for Realtime only, where it is the usage; `remaining` shows the same for
 * chat, and corrects us where it does not. Input from the cache counts fully.
 */
const OPENAI_CHARGE: VendorFacts['charge'] = { reserves: 'cap', settlesTo: 'usage', isCachedFree: false };

/** Models that reason refuse `max_tokens`, which the others take by either name. */
const REASONING_MODELS = /^(?:ft:)?(?:o\d|gpt-5)/;
const withNewCap = capAs('max_completion_tokens');

export const openai = openAiShaped({
  type: 'openai',
  baseUrl: 'https://api.openai.com/v1',
  offers: ['tools', 'vision', 'json_schema', 'audio', 'files', 'logprobs', 'n'],
  operations: ['chat', 'completions', 'embeddings', 'responses'],
  // Refills evenly: one request of 500 a minute is back after 120 ms, by the vendor's own `reset`.
  limits: {
    algorithm: 'token-bucket',
    burst: 1,
    isGuess: false,
    hasHeaders: true,
    requestSliceMs: null,
    isChargedAtEnd: false,
  },
  ownModels: ['gpt-3*', 'gpt-4*', 'gpt-5*', 'chatgpt-*', 'o1*', 'o3*', 'o4*', 'ft:gpt-*', 'text-embedding-*'],
  streamUsage: 'ask',
  probe: LISTS_MODELS,
  charge: OPENAI_CHARGE,
  rateHeaders: OPENAI_HEADERS,
  usage: { isReasoningApart: false },
  adapt: (fields, model) => {
    if (REASONING_MODELS.test(model)) withNewCap(fields, model);
  },
});
