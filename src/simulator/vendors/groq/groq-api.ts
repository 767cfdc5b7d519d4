import {
  type FailureTable,
  type InvalidRequest,
  invalidRequest,
  isFailure,
  type RateLimited,
  written,
} from '../../api/failure.ts';
import type { Endpoint, ErrorReply, VendorApi } from '../../api/vendor-api.ts';
import { goDuration } from '../../go-duration.ts';
import type { Json } from '../../json.ts';
import { LIMIT_FACTS } from '../../limits/limit-spec.ts';
import { rateHeaders } from '../../rate-headers.ts';
import { curlExample } from '../curl-example.ts';
import { withChoices } from '../limit-choices.ts';
import { type ChatDialect, ChatWriter, OPENAI_DIALECT } from '../openai-shaped/chat-writer.ts';
import { bearerToken, modelsEndpoint } from '../openai-shaped/endpoints.ts';
import { invalid, OPENAI_ERRORS, openAiError, refusedNumbers, secondsHint } from '../openai-shaped/errors.ts';
import { readChat } from '../openai-shaped/read-chat.ts';
import { responsesEndpoint } from '../openai-shaped/responses.ts';

/**
 * Groq's API: buckets that refill evenly. Its headers tell of the requests of the day and the tokens of the minute; what is
 * too large for ever is a 413 that advises a wait.
 */
export const groqApi: VendorApi = {
  title: 'Groq',
  models: ['llama-3.3-70b-versatile', 'llama-3.1-8b-instant', 'openai/gpt-oss-120b'],
  basePath: '/openai/v1',
  keyOf: bearerToken,
  endpointOf: (incoming) => {
    if (incoming.method === 'POST' && incoming.path === '/openai/v1/chat/completions') return CHAT;
    return responsesEndpoint(incoming, '/openai/v1/responses') ?? modelsEndpoint(incoming, '/openai/v1/models');
  },
  hasCapInContext: true,
  limitsOf: (given) =>
    withChoices(given, {
      tpm: { cachedInput: 'refunded' },
      tpd: { cachedInput: 'refunded' },
      itpm: { cachedInput: 'refunded' },
      otpm: { charge: 'refund' },
    }),
  headersOf: ({ requestId }) => ({ 'x-request-id': requestId, 'x-groq-region': 'local' }),
  rateHeaders: ({ limits, nowMs }) => rateHeaders(limits, nowMs, 'groq'),
  errorOf: (failure) => written(ERRORS, failure),
  errorEvent: (body) => `data: ${JSON.stringify(body)}\n\n`,
  example: (origin, key, model) =>
    curlExample(`${origin}/openai/v1/chat/completions`, `authorization: Bearer ${key}`, {
      model,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
};

const DIALECT: ChatDialect = {
  ...OPENAI_DIALECT,
  service: { system_fingerprint: 'fp_simulated', service_tier: 'on_demand' },
  message: {},
  lastChunk: (usage, id) => ({ x_groq: { id: `req_${id}`, usage }, usage }),
  usage: ({ input, output, cached, thinking }) => ({
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    ...(cached > 0 ? { prompt_tokens_details: { cached_tokens: cached } } : {}),
    ...(thinking > 0 ? { completion_tokens_details: { reasoning_tokens: thinking } } : {}),
    ...{ queue_time: 0, prompt_time: 0, completion_time: 0, total_time: 0 },
  }),
  thoughtDelta: (reasoning) => ({ reasoning }),
  said: (content, reasoning) => ({ content, ...(reasoning === '' ? {} : { reasoning }) }),
};

const UNSUPPORTED = ['logprobs', 'top_logprobs', 'logit_bias'];

const CHAT: Endpoint = {
  kind: 'model',
  read: (body) => {
    const chat = mistakeIn(body) ?? readChat(body);
    if (isFailure(chat)) return chat;
    const isHidden = body['reasoning_format'] === 'hidden' || body['include_reasoning'] === false;
    const isThinking = chat.request.thinking !== 'none';
    return {
      request: { ...chat.request, thinking: isThinking && !isHidden ? 'shown' : chat.request.thinking },
      write: (answer) => new ChatWriter({ answer, includesUsage: false, dialect: DIALECT }),
    };
  },
};

function mistakeIn(body: Json): InvalidRequest | null {
  if (typeof body['n'] === 'number' && body['n'] > 1) return invalidRequest("'n' : number must be at most 1", 'n');
  const unsupported = UNSUPPORTED.find(
    (name) => body[name] !== undefined && body[name] !== null && body[name] !== false,
  );
  return unsupported === undefined ? null : invalidRequest(`property '${unsupported}' is unsupported`, unsupported);
}

const ERRORS: FailureTable<ErrorReply> = {
  ...OPENAI_ERRORS,
  invalid_key: () => invalid(401, 'Invalid API Key', { code: 'invalid_api_key' }),
  unknown_url: ({ method, path }) => invalid(404, `Unknown request URL: ${method} ${path.slice(0, 100)}.`),
  context_exceeded: () => {
    const message = 'Please reduce the length of the messages or completion.';
    return invalid(400, message, { param: 'messages', code: 'context_length_exceeded' });
  },
  rate_limited: rateLimited,
  overloaded: () => openAiError(503, 'Service Unavailable', { type: 'internal_server_error' }),
  server_error: () => openAiError(500, 'Internal Server Error', { type: 'internal_server_error' }),
};

function rateLimited(failure: RateLimited): ErrorReply {
  const { model, organization, sendsHint = true, refusal, nowMs } = failure;
  const { type, spec, waitMs, isNever, largest, used, requested } = refusedNumbers(failure);
  const text = LIMIT_FACTS[spec.name].text.replace('per min ', 'per minute ');
  const where = `for model \`${model}\` in organization \`${organization}\` service tier \`on_demand\` on ${text}`;
  const parts = { type, code: 'rate_limit_exceeded' };
  if (isNever) {
    const advice = 'please reduce your message size and try again.';
    const message = `Request too large ${where}: Limit ${largest}, Requested ${requested}, ${advice}`;
    // No wait ends this one; the advice is there all the same.
    const hint = sendsHint ? secondsHint(refusal.limit.read(nowMs).fullInMs + 1000) : {};
    return { ...openAiError(413, message, parts), headers: { ...hint, 'x-should-retry': 'false' } };
  }
  const numbers = `Limit ${spec.limit}, Used ${used}, Requested ${requested}`;
  const message = `Rate limit reached ${where}: ${numbers}. Please try again in ${goDuration(waitMs)}.`;
  return { ...openAiError(429, message, parts), headers: sendsHint ? secondsHint(waitMs) : {} };
}
