import { invalidRequest, isFailure, written } from '../../api/failure.ts';
import type { Endpoint, Incoming, VendorApi } from '../../api/vendor-api.ts';
import { rfc3339 } from '../../calendar.ts';
import { promptTokens } from '../../prompt-size.ts';
import { curlExample } from '../curl-example.ts';
import { withChoices } from '../limit-choices.ts';
import { bearerToken, decoded } from '../openai-shaped/endpoints.ts';
import { anthropicErrors } from './errors.ts';
import { MessageWriter } from './message-writer.ts';
import { mistakeInCount } from './mistakes.ts';
import { anthropicRateHeaders } from './rate-headers.ts';
import { promptOf, readMessages } from './read-messages.ts';

const MODELS_PATH = '/v1/models';

/**
 * Anthropic's API: evenly refilled buckets of requests, input and output. Input that is remembered is free, output is
 * charged as it comes, and every answer tells what is left.
 */
export const anthropicApi: VendorApi = {
  title: 'Anthropic',
  models: ['claude-opus-5', 'claude-sonnet-5', 'claude-sonnet-4-5', 'claude-haiku-4-5'],
  basePath: '/v1',
  keyOf: (incoming) => {
    const key = incoming.headers['x-api-key'];
    return typeof key === 'string' ? key : bearerToken(incoming);
  },
  endpointOf: (incoming) => {
    const { method, path, headers } = incoming;
    if (method === 'GET') return modelsEndpoint(incoming);
    const hasVersion = headers['anthropic-version'] !== undefined;
    if (path === '/v1/messages') return messagesEndpoint(hasVersion);
    return path === '/v1/messages/count_tokens' ? COUNT_TOKENS : null;
  },
  hasCapInContext: true,
  limitsOf: (given) =>
    withChoices(given, {
      tpm: { cachedInput: 'free' },
      itpm: { cachedInput: 'free' },
      otpm: { charge: 'as-generated' },
    }),
  headersOf: ({ requestId, organization }) => ({
    'request-id': requestId,
    ...(organization === null ? {} : { 'anthropic-organization-id': organization }),
  }),
  rateHeaders: anthropicRateHeaders,
  errorOf: (failure, requestId) => written(anthropicErrors(requestId), failure),
  errorEvent: (body) => `event: error\ndata: ${JSON.stringify(body)}\n\n`,
  example: (origin, key, model) =>
    curlExample(`${origin}/v1/messages`, `x-api-key: ${key}' -H 'anthropic-version: 2023-06-01`, {
      model,
      max_tokens: 100,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
};

function messagesEndpoint(hasVersion: boolean): Endpoint {
  return {
    kind: 'model',
    read: (body) => {
      if (!hasVersion) return invalidRequest('anthropic-version: header is required');
      const request = readMessages(body);
      return isFailure(request) ? request : { request, write: (answer) => new MessageWriter(answer) };
    },
  };
}

const COUNT_TOKENS: Endpoint = {
  kind: 'plain',
  answer: ({ body, count, inVendorTokens, models }) => {
    const mistake = mistakeInCount(body);
    if (mistake) return mistake;
    const model = String(body['model']);
    if (!models.includes(model)) return { kind: 'model_not_found', model };
    return { json: { input_tokens: inVendorTokens(promptTokens(promptOf(body), count)) } };
  },
};

function modelsEndpoint({ path }: Incoming): Endpoint | null {
  const asJson = (id: string, created: number) => ({
    ...{ type: 'model', id, display_name: id },
    created_at: rfc3339(created * 1000),
  });
  if (path === MODELS_PATH) {
    return {
      kind: 'plain',
      answer: ({ models, nowS }) => {
        const [first_id = null, last_id = null] = [models[0], models.at(-1)];
        return { json: { data: models.map((id) => asJson(id, nowS)), has_more: false, first_id, last_id } };
      },
    };
  }
  if (!path.startsWith(`${MODELS_PATH}/`)) return null;
  const model = decoded(path.slice(MODELS_PATH.length + 1));
  return {
    kind: 'plain',
    answer: ({ models, nowS }) =>
      models.includes(model) ? { json: asJson(model, nowS) } : { kind: 'model_not_found', model },
  };
}
