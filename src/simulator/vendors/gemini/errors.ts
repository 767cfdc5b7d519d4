import type { FailureTable, RateLimited } from '../../api/failure.ts';
import type { ErrorReply } from '../../api/vendor-api.ts';
import type { LimitName } from '../../limits/limit-spec.ts';

const TYPE = 'type.googleapis.com/google.rpc';
const DOMAIN = 'generativelanguage.googleapis.com';

/** What a spent day advises, though it lasts until midnight in California. */
const DAY_LIE_MS = 27_000;

interface Quota {
  readonly metric: string;
  readonly id: string;
}

const REQUESTS = 'generate_content_requests';
const INPUT_TOKENS = 'generate_content_input_token_count';

/** How the vendor's bodies name its limits; programs look for PerDay, PerMinute and InputTokens in the id. */
const QUOTAS: Readonly<Record<LimitName, Quota>> = {
  rps: { metric: REQUESTS, id: 'GenerateRequestsPerSecondPerProjectPerModel' },
  rpm: { metric: REQUESTS, id: 'GenerateRequestsPerMinutePerProjectPerModel' },
  rpd: { metric: REQUESTS, id: 'GenerateRequestsPerDayPerProjectPerModel' },
  tpm: { metric: INPUT_TOKENS, id: 'GenerateContentInputTokensPerModelPerMinute' },
  tpd: { metric: INPUT_TOKENS, id: 'GenerateContentInputTokensPerModelPerDay' },
  itpm: { metric: INPUT_TOKENS, id: 'GenerateContentInputTokensPerModelPerMinute' },
  otpm: { metric: 'generate_content_output_token_count', id: 'GenerateContentOutputTokensPerModelPerMinute' },
  concurrency: { metric: 'generate_content_concurrent_requests', id: 'GenerateConcurrentRequestsPerProjectPerModel' },
};

interface Exhausted {
  readonly name: LimitName;
  readonly model: string;
  readonly value: number;
  /** Null: no advice. */
  readonly delayMs: number | null;
}

function error(status: number, name: string, parts: { message: string; details?: readonly object[] }): ErrorReply {
  const { message, details } = parts;
  return { status, body: { error: { code: status, message, status: name, ...(details ? { details } : {}) } } };
}

export const GEMINI_ERRORS: FailureTable<ErrorReply> = {
  missing_key: () =>
    error(403, 'PERMISSION_DENIED', {
      message:
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
    }),
  invalid_key: () => {
    const message = 'API key not valid. Please pass a valid API key.';
    const info = { reason: 'API_KEY_INVALID', domain: 'googleapis.com', metadata: { service: DOMAIN } };
    return error(400, 'INVALID_ARGUMENT', { message, details: [{ '@type': `${TYPE}.ErrorInfo`, ...info }] });
  },
  unknown_url: ({ path }) => error(404, 'NOT_FOUND', { message: `Not found: ${path.slice(0, 100)}` }),
  model_not_found: ({ model }) => {
    const name = `models/${model.slice(0, 100)}`;
    const advice = 'Call ListModels to see the list of available models and their supported methods.';
    const message = `${name} is not found for API version v1beta, or is not supported for generateContent. ${advice}`;
    return error(404, 'NOT_FOUND', { message });
  },
  not_stored: ({ id }) => error(404, 'NOT_FOUND', { message: `Not found: ${id.slice(0, 100)}` }),
  body_too_large: () => error(400, 'INVALID_ARGUMENT', { message: 'Request payload size exceeds the limit.' }),
  invalid_request: ({ message }) => error(400, 'INVALID_ARGUMENT', { message }),
  context_exceeded: ({ contextLength, input }) => {
    const message = `The input token count (${input}) exceeds the maximum number of tokens allowed (${contextLength}).`;
    return error(400, 'INVALID_ARGUMENT', { message });
  },
  rate_limited: (failure) =>
    exhausted({
      name: failure.refusal.limit.spec.name,
      model: failure.model,
      value: failure.refusal.limit.spec.limit,
      delayMs: failure.sendsHint === false ? null : delayOf(failure),
    }),
  // The plan does not have the model: a limit of nothing.
  quota_exceeded: () => exhausted({ name: 'rpd', model: 'gemini', value: 0, delayMs: DAY_LIE_MS }),
  spend_cap: bareExhausted,
  too_fast: bareExhausted,
  server_error: () => error(500, 'INTERNAL', { message: 'An internal error has occurred. Please retry.' }),
  overloaded: () => error(503, 'UNAVAILABLE', { message: 'The model is overloaded. Please try again later.' }),
  bare_rate_limit: bareExhausted,
  lying_hint: ({ model, retryAfterMs }) => exhausted({ name: 'rpm', model, value: 10, delayMs: retryAfterMs }),
};

function bareExhausted(): ErrorReply {
  return error(429, 'RESOURCE_EXHAUSTED', { message: 'Resource has been exhausted (e.g. check quota).' });
}

function exhausted({ name, model, value, delayMs }: Exhausted): ErrorReply {
  const { metric, id } = QUOTAS[name];
  const quotaMetric = `${DOMAIN}/${metric}`;
  const violation = {
    quotaMetric,
    quotaId: id,
    quotaDimensions: { location: 'global', model },
    quotaValue: `${value}`,
  };
  const delay = delayMs === null ? null : `${delayMs / 1000}s`;
  const message = [
    'You exceeded your current quota, please check your plan and billing details.',
    `* Quota exceeded for metric: ${quotaMetric}, limit: ${value}, model: ${model}`,
    ...(delay === null ? [] : [`Please retry in ${delay}.`]),
  ].join('\n');
  const link = {
    description: 'Learn more about Gemini API quotas',
    url: 'https://ai.google.dev/gemini-api/docs/rate-limits',
  };
  const details = [
    { '@type': `${TYPE}.Help`, links: [link] },
    { '@type': `${TYPE}.QuotaFailure`, violations: [violation] },
    ...(delay === null ? [] : [{ '@type': `${TYPE}.RetryInfo`, retryDelay: delay }]),
  ];
  return error(429, 'RESOURCE_EXHAUSTED', { message, details });
}

/** What never fits is sent to the next window like everything else. */
function delayOf({ refusal, nowMs }: RateLimited): number {
  const { spec } = refusal.limit;
  if (spec.name === 'rpd' || spec.name === 'tpd') return DAY_LIE_MS;
  const waitMs = Number.isFinite(refusal.waitMs) ? refusal.waitMs : spec.windowMs - (nowMs % spec.windowMs);
  return Math.ceil(waitMs);
}
