import { goDuration } from './go-duration.ts';
import { LIMIT_FACTS } from './limits/limit-spec.ts';
import type { Refusal } from './limits/upstream-limiter.ts';

/** An answer that is not a success, as OpenAI words it: programs read numbers and markers out of these sentences. */
export interface ApiError {
  readonly status: number;
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

export function errorBody({ message, type, param, code }: ApiError): string {
  return JSON.stringify({ error: { message, type, param, code } });
}

export function invalidRequest(message: string, param: string | null = null, code: string | null = null): ApiError {
  return { status: 400, message, type: 'invalid_request_error', param, code };
}

export function missingKey(): ApiError {
  const message = "You didn't provide an API key. Send it in the Authorization header: Bearer YOUR_KEY.";
  return { status: 401, message, type: 'invalid_request_error', param: null, code: null };
}

export function invalidKey(key: string): ApiError {
  const shown = key.length > 12 ? `${key.slice(0, 4)}****${key.slice(-4)}` : '****';
  const message = `Incorrect API key provided: ${shown}. You can find your API key at https://platform.openai.com/account/api-keys.`;
  return { status: 401, message, type: 'invalid_request_error', param: null, code: 'invalid_api_key' };
}

export function modelNotFound(model: string): ApiError {
  const message = `The model \`${model.slice(0, 100)}\` does not exist or you do not have access to it.`;
  return { status: 404, message, type: 'invalid_request_error', param: null, code: 'model_not_found' };
}

export function unknownUrl(method: string, path: string): ApiError {
  const message = `Unknown request URL: ${method} ${path.slice(0, 100)}. Please check the URL for typos.`;
  return { status: 404, message, type: 'invalid_request_error', param: null, code: 'unknown_url' };
}

export function contextExceeded(contextLength: number, input: number): ApiError {
  const message = `This model's maximum context length is ${contextLength} tokens. However, your messages resulted in ${input} tokens. Please reduce the length of the messages.`;
  return invalidRequest(message, 'messages', 'context_length_exceeded');
}

export function quotaExceeded(): ApiError {
  const message = 'You exceeded your current quota, please check your plan and billing details.';
  return { status: 429, message, type: 'insufficient_quota', param: null, code: 'insufficient_quota' };
}

export function serverError(): ApiError {
  const message = 'The server had an error while processing your request. Sorry about that!';
  return { status: 500, message, type: 'server_error', param: null, code: null };
}

export function overloaded(): ApiError {
  const message = 'The engine is currently overloaded, please try again later.';
  return { status: 503, message, type: 'service_unavailable_error', param: null, code: 'server_is_overloaded' };
}

/** A 429 that says nothing to go by. */
export function bareRateLimit(): ApiError {
  return { status: 429, message: 'Too many requests.', type: 'rate_limit_error', param: null, code: null };
}

export interface RefusedCase {
  readonly model: string;
  readonly organization: string;
  readonly nowMs: number;
}

/** The 429 of a limit that has no room, with the numbers that clients calibrate by. */
export function rateLimited(refusal: Refusal, { model, organization, nowMs }: RefusedCase): ApiError {
  const { spec } = refusal.limit;
  const where = `${model} in organization ${organization} on ${LIMIT_FACTS[spec.name].text}`;
  const type = spec.unit === 'requests' || spec.unit === 'in-flight' ? 'requests' : 'tokens';
  const error = { status: 429, type, param: null, code: 'rate_limit_exceeded' };
  const requested = Math.ceil(refusal.requested);
  if (refusal.waitMs === Number.POSITIVE_INFINITY) {
    const advice = 'The input or output tokens must be reduced in order to run successfully.';
    const numbers = `Limit ${Math.floor(refusal.limit.largest)}, Requested ${requested}`;
    return { ...error, message: `Request too large for ${where}: ${numbers}. ${advice}` };
  }
  // Limit less Used is what is left, whatever the algorithm.
  const used = Math.ceil(spec.limit - refusal.limit.read(nowMs).level - 1e-6);
  const numbers = `Limit ${spec.limit}, Used ${used}, Requested ${requested}`;
  const message = `Rate limit reached for ${where}: ${numbers}. Please try again in ${goDuration(refusal.waitMs)}.`;
  return { ...error, message };
}
