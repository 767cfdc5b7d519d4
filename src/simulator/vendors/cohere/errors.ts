import type { FailureTable, RateLimited } from '../../api/failure.ts';
import type { ErrorReply } from '../../api/vendor-api.ts';

/** An id and a sentence: that is all there is to go by. */
export function cohereErrors(id: string): FailureTable<ErrorReply> {
  const error = (status: number, message: string): ErrorReply => ({ status, body: { id, message } });
  return {
    missing_key: () => error(401, 'no api key supplied'),
    invalid_key: () => error(401, 'invalid api token'),
    unknown_url: ({ path }) => error(404, `404 page not found: ${path.slice(0, 100)}`),
    model_not_found: ({ model }) =>
      error(404, `model '${model.slice(0, 100)}' not found, make sure the correct model ID was used`),
    not_stored: () => error(404, 'not found'),
    body_too_large: () => error(413, 'request body too large'),
    invalid_request: ({ message }) => error(400, `invalid request: ${message}`),
    context_exceeded: ({ contextLength, input }) =>
      error(
        400,
        `too many tokens: the total number of tokens in the prompt cannot exceed ${contextLength} - received ${input}. Try using a shorter prompt.`,
      ),
    rate_limited: (failure) => error(429, limitMessage(failure)),
    quota_exceeded: () => error(402, 'Please add or update your payment method to continue'),
    spend_cap: () =>
      error(
        429,
        'You are using a Trial key, which is limited to 1000 API calls / month. You can continue to use the Trial key for free or upgrade to a Production key with higher rate limits.',
      ),
    too_fast: () => error(429, 'too many requests'),
    server_error: () => error(500, 'internal server error, this has been reported to our developers'),
    overloaded: () => error(503, 'service unavailable, please try again later'),
    bare_rate_limit: () => error(429, 'too many requests'),
    lying_hint: ({ retryAfterMs }) => ({
      ...error(429, 'You are past the per minute request limit, please wait and try again later.'),
      headers: { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) },
    }),
  };
}

function limitMessage({ refusal }: RateLimited): string {
  const { name, limit } = refusal.limit.spec;
  if (name === 'tpm') return `trial token rate limit exceeded, limit is ${limit} tokens per minute`;
  if (name !== 'rpm') return 'You are past the per minute request limit, please wait and try again later.';
  return `You are using a Trial key, which is limited to ${limit} API calls / minute. You can continue to use the Trial key for free or upgrade to a Production key with higher rate limits.`;
}
