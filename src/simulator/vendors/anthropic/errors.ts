import type { FailureOf, FailureTable, RateLimited } from '../../api/failure.ts';
import type { ErrorReply, Headers } from '../../api/vendor-api.ts';
import type { LimitName } from '../../limits/limit-spec.ts';

/** As the vendor's messages call its limits. */
const LIMIT_TEXTS: Readonly<Record<LimitName, string>> = {
  rps: 'requests per second',
  rpm: 'requests per minute',
  rpd: 'requests per day',
  tpm: 'tokens per minute',
  tpd: 'tokens per day',
  itpm: 'input tokens per minute',
  otpm: 'output tokens per minute',
  concurrency: 'concurrent connections',
};

const POOR =
  'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.';

export function anthropicErrors(requestId: string): FailureTable<ErrorReply> {
  const error = (status: number, type: string, message: string): ErrorReply => ({
    status,
    body: { type: 'error', error: { type, message }, request_id: requestId },
  });
  return {
    missing_key: () => error(401, 'authentication_error', 'x-api-key header is required'),
    invalid_key: () => error(401, 'authentication_error', 'invalid x-api-key'),
    unknown_url: () => error(404, 'not_found_error', 'Not Found'),
    model_not_found: ({ model }) => error(404, 'not_found_error', `model: ${model.slice(0, 100)}`),
    not_stored: ({ id }) => error(404, 'not_found_error', `Not found: ${id.slice(0, 100)}`),
    body_too_large: () => error(413, 'request_too_large', 'Request exceeds the maximum size'),
    invalid_request: ({ message }) => error(400, 'invalid_request_error', message),
    context_exceeded: (failure) => error(400, 'invalid_request_error', contextMessage(failure)),
    rate_limited: (failure) => ({
      ...error(429, 'rate_limit_error', limitMessage(failure)),
      headers: waitOf(failure),
    }),
    quota_exceeded: () => ({
      ...error(400, 'invalid_request_error', POOR),
      headers: { 'x-should-retry': 'false' },
    }),
    // The one 429 that says nothing of when to come back: not before the first of the month.
    spend_cap: () => {
      const message = 'Your organization has reached its monthly spend limit.';
      const details = { error_code: 'enforced_spend_limit_reached' };
      const body = { type: 'error', error: { type: 'rate_limit_error', message, details }, request_id: requestId };
      return { status: 429, body };
    },
    too_fast: () =>
      error(
        429,
        'rate_limit_error',
        'This request would exceed your acceleration limit: your usage has risen too sharply. Please ramp up gradually.',
      ),
    server_error: () => error(500, 'api_error', 'Internal server error'),
    overloaded: () => error(529, 'overloaded_error', 'Overloaded'),
    bare_rate_limit: () => error(429, 'rate_limit_error', 'Rate limited'),
    lying_hint: ({ retryAfterMs }) => ({
      ...error(429, 'rate_limit_error', 'This request would exceed your rate limit. Please try again later.'),
      headers: { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) },
    }),
  };
}

function contextMessage({ contextLength, input, cap }: FailureOf<'context_exceeded'>): string {
  if (input > contextLength) return `prompt is too long: ${input} tokens > ${contextLength} maximum`;
  const sum = `input length and \`max_tokens\` exceed context limit: ${input} + ${cap} > ${contextLength}`;
  return `${sum}, decrease input length or \`max_tokens\` and try again`;
}

function limitMessage({ refusal, organization }: RateLimited): string {
  const { name, limit } = refusal.limit.spec;
  if (name === 'concurrency') {
    return 'Number of concurrent connections has exceeded your rate limit. Please try again later.';
  }
  const what = `${limit.toLocaleString('en-US')} ${LIMIT_TEXTS[name]}`;
  return `This request would exceed the rate limit for your organization (${organization}) of ${what}. Please reduce the prompt length or the maximum tokens requested, or try again later.`;
}

/** What never fits is told to come back like everything else, when the bucket is full. */
function waitOf({ refusal, nowMs, sendsHint = true }: RateLimited): Headers {
  if (!sendsHint) return {};
  const waitMs = Number.isFinite(refusal.waitMs) ? refusal.waitMs : refusal.limit.read(nowMs).fullInMs;
  return { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))) };
}
