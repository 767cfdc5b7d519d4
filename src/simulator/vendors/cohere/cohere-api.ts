import { isFailure, written } from '../../api/failure.ts';
import type { Endpoint, Headers, Incoming, RateFacts, VendorApi } from '../../api/vendor-api.ts';
import { curlExample } from '../curl-example.ts';
import { withChoices } from '../limit-choices.ts';
import { bearerToken, decoded } from '../openai-shaped/endpoints.ts';
import { ChatWriter } from './chat-writer.ts';
import { EMBED } from './embed.ts';
import { cohereErrors } from './errors.ts';
import { readChat } from './read-chat.ts';

const MODELS_PATH = '/v1/models';

/** A trial's calls of a month, which only a header tells of. */
const MONTHLY_CALLS = '1000';

/** Cohere's API: calls per minute and nothing else; refusals are a sentence. Its limits here are those of a trial. */
export const cohereApi: VendorApi = {
  title: 'Cohere',
  models: ['command-a-03-2025', 'command-r7b-12-2024', 'embed-v4.0'],
  basePath: '',
  keyOf: bearerToken,
  endpointOf: (incoming) => {
    const { method, path } = incoming;
    if (method === 'POST' && path === '/v2/chat') return CHAT;
    if (method === 'POST' && path === '/v2/embed') return EMBED;
    return method === 'GET' ? modelsEndpoint(incoming) : null;
  },
  hasCapInContext: false,
  limitsOf: (given) =>
    withChoices(given, {
      rpm: { algorithm: 'fixed-window', anchor: 'first-use' },
      tpm: { algorithm: 'fixed-window', anchor: 'first-use' },
    }),
  headersOf: ({ requestId }) => ({ 'x-debug-trace-id': requestId }),
  rateHeaders,
  errorOf: (failure, requestId) => written(cohereErrors(requestId), failure),
  errorEvent: () => {
    const event = { type: 'message-end', delta: { finish_reason: 'ERROR', error: 'internal server error' } };
    return `event: message-end\ndata: ${JSON.stringify(event)}\n\n`;
  },
  example: (origin, key, model) =>
    curlExample(`${origin}/v2/chat`, `authorization: Bearer ${key}`, {
      model,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
};

const CHAT: Endpoint = {
  kind: 'model',
  read: (body) => {
    const request = readChat(body);
    return isFailure(request) ? request : { request, write: (answer) => new ChatWriter(answer) };
  },
};

/** What a trial may call in a minute, and what is left of it. */
function rateHeaders({ limits, nowMs }: RateFacts): Headers {
  const calls = limits.find(({ spec }) => spec.name === 'rpm');
  if (calls === undefined) return {};
  return {
    'x-endpoint-monthly-call-limit': MONTHLY_CALLS,
    'x-trial-endpoint-call-limit': String(calls.spec.limit),
    'x-trial-endpoint-call-remaining': String(Math.max(0, Math.floor(calls.read(nowMs).level))),
  };
}

function modelsEndpoint({ path }: Incoming): Endpoint | null {
  const asJson = (name: string) => ({ name, endpoints: ['chat', 'embed'], finetuned: false, context_length: 128_000 });
  if (path === MODELS_PATH) {
    return { kind: 'plain', answer: ({ models }) => ({ json: { models: models.map(asJson) } }) };
  }
  if (!path.startsWith(`${MODELS_PATH}/`)) return null;
  const model = decoded(path.slice(MODELS_PATH.length + 1));
  return {
    kind: 'plain',
    answer: ({ models }) => (models.includes(model) ? { json: asJson(model) } : { kind: 'model_not_found', model }),
  };
}
