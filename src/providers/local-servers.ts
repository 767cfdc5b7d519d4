import { UNKNOWN_SERVER } from './openai-compatible.ts';
import { capAs } from './openai-shaped/adapt-fields.ts';
import { openAiShaped, type VendorFacts } from './openai-shaped/openai-shaped.ts';
import { LISTS_MODELS } from './openai-shaped/probe-calls.ts';

/** These have all of OpenAI's endpoints that are about text. */
const operations: VendorFacts['operations'] = ['chat', 'completions', 'embeddings', 'responses'];

/** Servers on one's own machine, at the ports they choose themselves. They limit nothing but how much runs at once. */
const LOCAL: readonly VendorFacts[] = [
  {
    ...UNKNOWN_SERVER,
    type: 'vllm',
    baseUrl: 'http://127.0.0.1:8000/v1',
    operations,
    offers: ['tools', 'vision', 'json_schema', 'audio', 'logprobs', 'n'],
    probe: LISTS_MODELS,
    rateHeaders: [],
  },
  {
    ...UNKNOWN_SERVER,
    type: 'llama-cpp',
    baseUrl: 'http://127.0.0.1:8080/v1',
    operations,
    offers: ['tools', 'vision', 'json_schema', 'audio', 'logprobs', 'n'],
    probe: LISTS_MODELS,
    rateHeaders: [],
  },
  {
    ...UNKNOWN_SERVER,
    type: 'ollama',
    baseUrl: 'http://127.0.0.1:11434/v1',
    operations,
    adapt: capAs('max_tokens'),
    offers: ['tools', 'vision', 'json_schema', 'logprobs'],
    probe: LISTS_MODELS,
    rateHeaders: [],
  },
  {
    ...UNKNOWN_SERVER,
    type: 'lm-studio',
    baseUrl: 'http://127.0.0.1:1234/v1',
    operations,
    adapt: capAs('max_tokens'),
    offers: ['tools', 'vision', 'json_schema'],
    probe: LISTS_MODELS,
    rateHeaders: [],
  },
];

export const localServers = LOCAL.map(openAiShaped);
