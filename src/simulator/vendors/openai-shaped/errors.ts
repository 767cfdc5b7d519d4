import type { FailureTable, InvalidRequest, RateLimited } from '../../api/failure.ts';
import type { ErrorReply, Headers } from '../../api/vendor-api.ts';
import { goDuration } from '../../go-duration.ts';
import { LIMIT_FACTS, type LimitUnit } from '../../limits/limit-spec.ts';

export interface ErrorParts {
  readonly type: string | null;
  readonly param?: string | null;
  readonly code?: string | null;
}

/** An error in OpenAI's shape: programs read numbers and markers out of these sentences. */
export function openAiError(status: number, message: string, parts: ErrorParts): ErrorReply {
  const { type, param = null, code = null } = parts;
  return { status, body: { error: { message, type, param, code } } };
}

export function invalid(status: number, message: string, parts: Partial<ErrorParts> = {}): ErrorReply {
  return openAiError(status, message, { type: 'invalid_request_error', ...parts });
}

/** The numbers of a refusal, as messages tell them. */
export function refusedNumbers({ refusal, nowMs }: RateLimited) {
  const { limit, requested, waitMs } = refusal;
  return {
    ...{ waitMs, spec: limit.spec, largest: Math.floor(limit.largest) },
    isNever: waitMs === Number.POSITIVE_INFINITY,
    requested: Math.ceil(requested),
    // Limit less Used is what is left, whatever the algorithm.
    used: Math.ceil(limit.spec.limit - limit.read(nowMs).level - 1e-6),
    text: LIMIT_FACTS[limit.spec.name].text,
    type: typeOf(limit.spec.unit),
  };
}

/** Seconds, maybe with a fraction, as Groq sends them. */
export function secondsHint(waitMs: number): Headers {
  return { 'retry-after': String(Math.ceil(waitMs) / 1000) };
}

/** Whole seconds, and the exact wait beside them. */
function waitHints(waitMs: number): Headers {
  return { 'retry-after': String(Math.ceil(waitMs / 1000)), 'retry-after-ms': String(Math.ceil(waitMs)) };
}

/** A key as messages show it. */
function masked(key: string): string {
  return key.length > 12 ? `${key.slice(0, 4)}****${key.slice(-4)}` : '****';
}

function invalidAsOpenAi({ message, param, code }: InvalidRequest): ErrorReply {
  return invalid(400, message, { param, code });
}

export const OPENAI_ERRORS: FailureTable<ErrorReply> = {
  missing_key: () =>
    invalid(401, "You didn't provide an API key. Send it in the Authorization header: Bearer YOUR_KEY."),
  invalid_key: ({ key }) => {
    const advice = 'You can find your API key at https://platform.openai.com/account/api-keys.';
    return invalid(401, `Incorrect API key provided: ${masked(key)}. ${advice}`, { code: 'invalid_api_key' });
  },
  unknown_url: ({ method, path }) => {
    const message = `Unknown request URL: ${method} ${path.slice(0, 100)}. Please check the URL for typos.`;
    return invalid(404, message, { code: 'unknown_url' });
  },
  model_not_found: ({ model }) => {
    const message = `The model \`${model.slice(0, 100)}\` does not exist or you do not have access to it.`;
    return invalid(404, message, { code: 'model_not_found' });
  },
  not_stored: ({ id }) => invalid(404, `Response with id '${id.slice(0, 100)}' not found.`),
  body_too_large: () => invalid(413, 'The request body is too large.'),
  invalid_request: invalidAsOpenAi,
  context_exceeded: ({ contextLength, input }) => {
    const message = `This model's maximum context length is ${contextLength} tokens. However, your messages resulted in ${input} tokens. Please reduce the length of the messages.`;
    return invalid(400, message, { param: 'messages', code: 'context_length_exceeded' });
  },
  rate_limited: rateLimited,
  quota_exceeded: () =>
    openAiError(429, 'You exceeded your current quota, please check your plan and billing details.', {
      type: 'insufficient_quota',
      code: 'insufficient_quota',
    }),
  spend_cap: () =>
    openAiError(429, 'Your organization has reached its monthly spend limit.', {
      type: 'insufficient_quota',
      code: 'organization_spend_limit_exceeded',
    }),
  too_fast: () =>
    openAiError(
      503,
      'Slow Down: your requests have risen too sharply. Go back to your earlier rate and raise it slowly.',
      {
        type: 'service_unavailable_error',
        code: 'slow_down',
      },
    ),
  server_error: () =>
    openAiError(500, 'The server had an error while processing your request. Sorry about that!', {
      type: 'server_error',
    }),
  overloaded: () =>
    openAiError(503, 'The engine is currently overloaded, please try again later.', {
      type: 'service_unavailable_error',
      code: 'server_is_overloaded',
    }),
  bare_rate_limit: () => openAiError(429, 'Too many requests.', { type: 'rate_limit_error' }),
  lying_hint: ({ model, retryAfterMs }) => {
    const message = `Rate limit reached for ${model}. Please try again in ${goDuration(retryAfterMs)}.`;
    const error = openAiError(429, message, { type: 'requests', code: 'rate_limit_exceeded' });
    return { ...error, headers: waitHints(retryAfterMs) };
  },
};

function rateLimited(failure: RateLimited): ErrorReply {
  const { model, organization, sendsHint, style } = failure;
  const { text, type, spec, ...numbers } = refusedNumbers(failure);
  const where = `${model} in organization ${organization} on ${text}`;
  const parts = { type, code: 'rate_limit_exceeded' };
  if (numbers.isNever) {
    const advice = 'The input or output tokens must be reduced in order to run successfully.';
    const sizes = `Limit ${numbers.largest}, Requested ${numbers.requested}`;
    return openAiError(429, `Request too large for ${where}: ${sizes}. ${advice}`, parts);
  }
  const sizes = `Limit ${spec.limit}, Used ${numbers.used}, Requested ${numbers.requested}`;
  const message = `Rate limit reached for ${where}: ${sizes}. Please try again in ${goDuration(numbers.waitMs)}.`;
  const hints = style === 'groq' ? secondsHint(numbers.waitMs) : waitHints(numbers.waitMs);
  return { ...openAiError(429, message, parts), headers: sendsHint ? hints : {} };
}

function typeOf(unit: LimitUnit): 'requests' | 'tokens' {
  return unit === 'requests' || unit === 'in-flight' ? 'requests' : 'tokens';
}
