import type { FailureTable, RateLimited } from '../../api/failure.ts';
import type { ErrorReply } from '../../api/vendor-api.ts';
import { OPENAI_ERRORS } from '../openai-shaped/errors.ts';

/** What spent tokens advise, though the minute may have just begun. */
const TOKEN_LIE_S = 1;

function error(status: number, code: string, message: string): ErrorReply {
  return { status, body: { error: { code, message } } };
}

/** Codes are texts, also those that are numbers; there is no type. */
export const AZURE_ERRORS: FailureTable<ErrorReply> = {
  ...OPENAI_ERRORS,
  missing_key: () => ({
    status: 401,
    body: {
      statusCode: 401,
      message: 'Unauthorized. Access token is missing, invalid, audience is incorrect, or have expired.',
    },
  }),
  invalid_key: () =>
    error(
      401,
      '401',
      'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.',
    ),
  unknown_url: () => error(404, '404', 'Resource not found'),
  model_not_found: () =>
    error(
      404,
      'DeploymentNotFound',
      'The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.',
    ),
  rate_limited: rateLimited,
  quota_exceeded: () => error(403, '403', 'Out of call volume quota. Quota will be replenished with the next month.'),
  spend_cap: () => error(403, '403', 'Out of call volume quota. Quota will be replenished with the next month.'),
  overloaded: () => {
    const message =
      'The system is currently experiencing high demand and cannot process your request. Your request exceeds the maximum usage size allowed during peak load. Please retry after 6 seconds.';
    return { ...error(429, '429', message), headers: { 'retry-after': '6', 'retry-after-ms': '6000' } };
  },
  bare_rate_limit: () => error(429, 'too_many_requests', 'Too Many Requests'),
  lying_hint: ({ retryAfterMs }) => ({
    ...error(429, '429', exceeded('call rate limit', Math.ceil(retryAfterMs / 1000))),
    headers: { 'retry-after': String(Math.ceil(retryAfterMs / 1000)), 'retry-after-ms': String(retryAfterMs) },
  }),
};

function rateLimited({ refusal, sendsHint = true }: RateLimited): ErrorReply {
  const isTokens = refusal.limit.spec.unit !== 'requests';
  const waitS = isTokens ? TOKEN_LIE_S : Math.ceil(refusal.waitMs / 1000);
  const headers = { 'retry-after': String(waitS), 'retry-after-ms': String(isTokens ? 0 : Math.ceil(refusal.waitMs)) };
  const type = { 'x-ratelimit-type': isTokens ? 'Tokens' : 'Requests' };
  const message = exceeded(isTokens ? 'token rate limit' : 'call rate limit', waitS);
  return { ...error(429, '429', message), headers: { ...type, ...(sendsHint ? headers : {}) } };
}

function exceeded(limit: string, waitS: number): string {
  const what = 'Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21';
  return `${what} have exceeded ${limit} of your current OpenAI S0 pricing tier. Please retry after ${waitS} seconds.`;
}
