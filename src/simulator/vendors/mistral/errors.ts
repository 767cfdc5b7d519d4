import type { FailureTable, InvalidRequest } from '../../api/failure.ts';
import type { ErrorReply } from '../../api/vendor-api.ts';

interface Named {
  readonly type: string;
  readonly code: string | null;
}

/** All keys are at the top; the code is a number in quotes. */
function error(status: number, message: unknown, { type, code }: Named): ErrorReply {
  return { status, body: { object: 'error', message, type, param: null, code, raw_status_code: status } };
}

function rateLimited(): ErrorReply {
  return error(429, 'Rate limit exceeded', { type: 'rate_limited', code: '1300' });
}

function unauthorized(): ErrorReply {
  return { status: 401, body: { detail: 'Unauthorized' } };
}

export const MISTRAL_ERRORS: FailureTable<ErrorReply> = {
  missing_key: unauthorized,
  invalid_key: unauthorized,
  unknown_url: () => ({ status: 404, body: { message: 'no Route matched with those values' } }),
  model_not_found: ({ model }) =>
    error(400, `Invalid model: ${model.slice(0, 100)}`, { type: 'invalid_model', code: '1500' }),
  not_stored: () => ({ status: 404, body: { detail: 'Not found' } }),
  body_too_large: () => ({ status: 413, body: { message: 'Request size limit exceeded' } }),
  invalid_request: invalid,
  context_exceeded: ({ contextLength, input }) => {
    const message = `Prompt contains ${input} tokens, too large for model with ${contextLength} maximum context length`;
    return error(400, message, { type: 'invalid_request_prompt', code: '3051' });
  },
  rate_limited: rateLimited,
  quota_exceeded: () => ({ status: 402, body: { detail: 'Payment required: check the billing of your workspace' } }),
  spend_cap: () => ({ status: 402, body: { detail: 'Payment required: the spending limit has been reached' } }),
  too_fast: rateLimited,
  server_error: () => error(500, 'Internal server error', { type: 'internal_server_error', code: '1000' }),
  overloaded: () =>
    error(429, 'Service tier capacity exceeded for this model.', {
      type: 'service_tier_capacity_exceeded',
      code: '3505',
    }),
  bare_rate_limit: () => ({ status: 429, body: { message: 'Requests rate limit exceeded' } }),
  lying_hint: ({ retryAfterMs }) => ({
    ...rateLimited(),
    headers: { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) },
  }),
};

/** What does not fit the schema is a 422 with a list of details. */
function invalid({ message, param, code }: InvalidRequest): ErrorReply {
  if (code === '3230') return error(400, message, { type: 'invalid_request_message_order', code });
  if (code === '3280') return error(400, message, { type: 'invalid_function_call', code });
  const detail = [{ type: code ?? 'value_error', loc: ['body', ...(param === null ? [] : [param])], msg: message }];
  return error(422, { detail }, { type: 'invalid_request_error', code: null });
}
