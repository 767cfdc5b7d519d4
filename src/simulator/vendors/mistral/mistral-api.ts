import { type InvalidRequest, isFailure, written } from '../../api/failure.ts';
import type { Endpoint, Headers, RateFacts, VendorApi } from '../../api/vendor-api.ts';
import type { Json } from '../../json.ts';
import type { LimitOptions, LimitsOptions } from '../../limits/limit-spec.ts';
import type { UpstreamLimit } from '../../limits/upstream-limit.ts';
import { curlExample } from '../curl-example.ts';
import { withChoices } from '../limit-choices.ts';
import { ChatWriter } from '../openai-shaped/chat-writer.ts';
import { embeddingsEndpoint } from '../openai-shaped/embeddings.ts';
import { bearerToken, modelsEndpoint } from '../openai-shaped/endpoints.ts';
import { type Chat, readChat } from '../openai-shaped/read-chat.ts';
import { MISTRAL_DIALECT } from './dialect.ts';
import { MISTRAL_ERRORS } from './errors.ts';
import { mistakeInChat } from './mistakes.ts';

const EMBEDDINGS = embeddingsEndpoint(({ id }) => ({ id: `embd-${id}` }));

/** What every model of the list can do. */
const ABILITIES = { type: 'base', capabilities: { completion_chat: true, function_calling: true } };

const SLIDING = { algorithm: 'sliding-log' } as const;

/**
 * Mistral's API: every charge counts for sixty seconds, tokens are charged when the answer is complete, and nothing says
 * when to come back.
 */
export const mistralApi: VendorApi = {
  title: 'Mistral',
  models: ['mistral-large-latest', 'mistral-small-latest', 'magistral-medium-latest', 'mistral-embed'],
  basePath: '/v1',
  keyOf: bearerToken,
  endpointOf: (incoming) => {
    if (incoming.method === 'POST' && incoming.path === '/v1/chat/completions') return CHAT;
    if (incoming.method === 'POST' && incoming.path === '/v1/embeddings') return EMBEDDINGS;
    return modelsEndpoint(incoming, '/v1/models', ABILITIES);
  },
  // A limit per second is that of a minute, bursts and all.
  hasCapInContext: false,
  limitsOf: ({ rps, ...given }) => {
    const limits: LimitsOptions = { ...given, rpm: given.rpm ?? minuteOf(rps) };
    return withChoices(limits, { rpm: SLIDING, tpm: { ...SLIDING, charge: 'at-end' } });
  },
  headersOf: ({ requestId, usage }) => ({
    'mistral-correlation-id': requestId,
    ...(usage === null ? {} : { 'x-ratelimit-tokens-query-cost': String(usage.input + usage.output) }),
  }),
  rateHeaders,
  errorOf: (failure) => written(MISTRAL_ERRORS, failure),
  errorEvent: (body) => `data: ${JSON.stringify(body)}\n\n`,
  example: (origin, key, model) =>
    curlExample(`${origin}/v1/chat/completions`, `authorization: Bearer ${key}`, {
      model,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
};

const CHAT: Endpoint = {
  kind: 'model',
  read: (body) => {
    const chat = read(body);
    if (isFailure(chat)) return chat;
    // Some models always think; others do when told to.
    const isThinking = chat.request.thinking === 'hidden' || chat.request.model.startsWith('magistral');
    return {
      request: { ...chat.request, thinking: isThinking ? 'shown' : 'none', cache: null },
      write: (answer) => new ChatWriter({ answer, includesUsage: false, dialect: MISTRAL_DIALECT }),
    };
  },
};

function read(body: Json): Chat | InvalidRequest {
  return mistakeInChat(body) ?? readChat(body);
}

function minuteOf(perSecond: LimitsOptions['rps']): LimitOptions | undefined {
  if (perSecond === undefined) return undefined;
  const options = typeof perSecond === 'number' ? { limit: perSecond } : perSecond;
  return { ...options, limit: options.limit * 60 };
}

/** A 429 for too many requests says nothing of tokens. */
function rateHeaders({ limits, nowMs, refusedBy }: RateFacts): Headers {
  const headers: Record<string, string> = {};
  const add = (name: string, limit: UpstreamLimit | undefined): void => {
    if (limit === undefined) return;
    headers[`x-ratelimit-limit-${name}`] = String(limit.spec.limit);
    headers[`x-ratelimit-remaining-${name}`] = String(Math.max(0, Math.floor(limit.read(nowMs).level)));
  };
  add(
    'req-minute',
    limits.find(({ spec }) => spec.name === 'rpm'),
  );
  if (refusedBy?.spec.unit === 'requests') return headers;
  add(
    'tokens-minute',
    limits.find(({ spec }) => spec.name === 'tpm'),
  );
  return headers;
}
