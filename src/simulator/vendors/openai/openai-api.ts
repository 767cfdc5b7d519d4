import { written } from '../../api/failure.ts';
import type { Endpoint, VendorApi } from '../../api/vendor-api.ts';
import { rateHeaders } from '../../rate-headers.ts';
import { curlExample } from '../curl-example.ts';
import { OPENAI_DIALECT } from '../openai-shaped/chat-writer.ts';
import { COMPLETIONS } from '../openai-shaped/completions.ts';
import { embeddingsEndpoint } from '../openai-shaped/embeddings.ts';
import { bearerToken, chatEndpoint, modelsEndpoint } from '../openai-shaped/endpoints.ts';
import { OPENAI_ERRORS } from '../openai-shaped/errors.ts';
import { responsesEndpoint } from '../openai-shaped/responses.ts';
import { collectionEndpoint } from './collections.ts';
import { MODERATIONS } from './moderations.ts';

const POSTED: ReadonlyMap<string, Endpoint> = new Map([
  ['/v1/chat/completions', chatEndpoint(OPENAI_DIALECT)],
  ['/v1/completions', COMPLETIONS],
  ['/v1/embeddings', embeddingsEndpoint()],
  ['/v1/moderations', MODERATIONS],
]);

/** OpenAI's API: evenly refilled buckets, headers on every answer, mostly no advice with a 429. */
export const openAiApi: VendorApi = {
  title: 'OpenAI',
  models: ['gpt-4o', 'gpt-4o-mini'],
  basePath: '/v1',
  keyOf: bearerToken,
  endpointOf: (incoming) => {
    const posted = incoming.method === 'POST' ? POSTED.get(incoming.path) : undefined;
    const stored = responsesEndpoint(incoming, '/v1/responses') ?? collectionEndpoint(incoming);
    return posted ?? stored ?? modelsEndpoint(incoming, '/v1/models');
  },
  hasCapInContext: true,
  limitsOf: (given) => given,
  headersOf: ({ requestId, organization, elapsedMs }) => ({
    'x-request-id': requestId,
    ...(organization === null
      ? {}
      : {
          'openai-organization': organization,
          'openai-version': '2020-10-01',
          'openai-processing-ms': String(Math.round(elapsedMs)),
        }),
  }),
  rateHeaders: ({ limits, nowMs }) => rateHeaders(limits, nowMs, 'openai'),
  errorOf: (failure) => written(OPENAI_ERRORS, failure),
  errorEvent: (body) => `data: ${JSON.stringify(body)}\n\n`,
  example: (origin, key, model) =>
    curlExample(`${origin}/v1/chat/completions`, `authorization: Bearer ${key}`, {
      model,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
};
