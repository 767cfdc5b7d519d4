import { UNKNOWN_SERVER } from './openai-compatible.ts';
import { capAs, inTurn, logprobsAsNumber } from './openai-shaped/adapt-fields.ts';
import { openAiShaped, type VendorFacts } from './openai-shaped/openai-shaped.ts';
import { LISTS_MODELS } from './openai-shaped/probe-calls.ts';
import { CEREBRAS_HEADERS, FIREWORKS_HEADERS, GROQ_HEADERS, TOGETHER_HEADERS } from './openai-shaped/rate-headers.ts';
import type { LimitFacts } from './provider.ts';

const UNKNOWN_LIMITS = UNKNOWN_SERVER.limits;
const EVEN_REFILL: LimitFacts = {
  ...UNKNOWN_LIMITS,
  algorithm: 'token-bucket',
  burst: 1,
  isGuess: false,
  hasHeaders: true,
};
/** Only what was used counts; we hold what a request will probably come to, so that several at once do not overshoot. */
const COUNTS_USAGE: VendorFacts['charge'] = { ...UNKNOWN_SERVER.charge, reserves: 'prediction' };

/** Vendors on the net whose API has OpenAI's format; what is not said is as `UNKNOWN_SERVER`. */
const HOSTED: readonly VendorFacts[] = [
  {
    ...UNKNOWN_SERVER,
    type: 'groq',
    baseUrl: 'https://api.groq.com/openai/v1',
    probe: LISTS_MODELS,
    operations: ['chat', 'responses'],
    adapt: capAs('max_completion_tokens'),
    // `n` above 1 and `logprobs` are answered 400.
    offers: ['tools', 'vision', 'json_schema'],
    // `reset` shows an even refill, refusals show input and cap as requested; cached input is free (console.groq.com/docs).
    limits: EVEN_REFILL,
    charge: { reserves: 'cap', settlesTo: 'usage', isCachedFree: true },
    rateHeaders: GROQ_HEADERS,
  },
  {
    ...UNKNOWN_SERVER,
    type: 'deepseek',
    baseUrl: 'https://api.deepseek.com',
    probe: LISTS_MODELS,
    operations: ['chat'],
    adapt: capAs('max_tokens'),
    offers: ['tools', 'logprobs'],
    // Requests at once are all that is limited (api-docs.deepseek.com); a 429 passes when one of ours ends.
    charge: COUNTS_USAGE,
    rateHeaders: [],
    ownModels: ['deepseek-chat', 'deepseek-reasoner', 'deepseek-v*'],
  },
  {
    ...UNKNOWN_SERVER,
    type: 'openrouter',
    baseUrl: 'https://openrouter.ai/api/v1',
    // Its list of models is open to everybody; what it tells of a key is not.
    probe: { path: (basePath) => `${basePath}/key`, isCounted: false },
    operations: ['chat', 'completions', 'embeddings', 'responses'],
    // `n` is dropped without a word.
    offers: ['tools', 'vision', 'json_schema', 'audio', 'files', 'logprobs'],
    // Only models that cost nothing have limits, by minute and UTC day; which kind of minute is not documented.
    limits: {
      ...UNKNOWN_LIMITS,
      algorithm: 'fixed-window',
      burst: 1,
      dayBegins: { minuteOfDay: 0, timeZone: 'UTC' },
    },
    charge: COUNTS_USAGE,
    streamUsage: 'always',
    rateHeaders: [],
  },
  {
    ...UNKNOWN_SERVER,
    type: 'together',
    baseUrl: 'https://api.together.xyz/v1',
    probe: LISTS_MODELS,
    operations: ['chat', 'completions', 'embeddings'],
    adapt: inTurn(capAs('max_tokens'), logprobsAsNumber),
    // Some older models end with their own word.
    faults: { finishReasons: { eos: 'stop' } },
    offers: ['tools', 'vision', 'json_schema', 'logprobs', 'n'],
    // Enforced by the second, with a ceiling that follows what was served (docs.together.ai/docs/rate-limits).
    limits: { ...UNKNOWN_LIMITS, hasHeaders: true, requestSliceMs: 1_000 },
    charge: COUNTS_USAGE,
    rateHeaders: TOGETHER_HEADERS,
  },
  {
    ...UNKNOWN_SERVER,
    type: 'fireworks',
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    operations: ['chat', 'completions', 'embeddings', 'responses'],
    adapt: capAs('max_tokens'),
    offers: ['tools', 'vision', 'json_schema', 'logprobs', 'n'],
    limits: { ...UNKNOWN_LIMITS, hasHeaders: true },
    charge: COUNTS_USAGE,
    streamUsage: 'always',
    rateHeaders: FIREWORKS_HEADERS,
  },
  {
    ...UNKNOWN_SERVER,
    type: 'xai',
    baseUrl: 'https://api.x.ai/v1',
    probe: LISTS_MODELS,
    operations: ['chat', 'completions', 'responses'],
    offers: ['tools', 'vision', 'json_schema', 'logprobs', 'n'],
    // A minute's limit of requests is the second's times 60, without a burst (docs.x.ai/developers/rate-limits).
    limits: { ...UNKNOWN_LIMITS, hasHeaders: true, requestSliceMs: 1_000 },
    charge: COUNTS_USAGE,
    streamUsage: 'always',
    usage: { isReasoningApart: true },
    faults: { isReasoningApart: true },
    ownModels: ['grok-*'],
  },
  {
    ...UNKNOWN_SERVER,
    type: 'cerebras',
    baseUrl: 'https://api.cerebras.ai/v1',
    probe: LISTS_MODELS,
    operations: ['chat', 'completions'],
    adapt: capAs('max_completion_tokens'),
    offers: ['tools', 'json_schema', 'logprobs'],
    limits: { ...EVEN_REFILL, isGuess: true },
    rateHeaders: CEREBRAS_HEADERS,
  },
  {
    ...UNKNOWN_SERVER,
    type: 'perplexity',
    baseUrl: 'https://api.perplexity.ai',
    probe: null,
    operations: ['chat'],
    adapt: capAs('max_tokens'),
    offers: ['vision', 'json_schema'],
    charge: COUNTS_USAGE,
    rateHeaders: [],
    ownModels: ['sonar*'],
  },
];

export const hostedVendors = HOSTED.map(openAiShaped);
