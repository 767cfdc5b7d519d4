import type { ErrorBody, ErrorCode } from '../../../errors.ts';

/** An error as Anthropic writes it. Its SDKs read `details.error_code`, which has our own code. */
export interface MessagesErrorBody {
  readonly type: 'error';
  readonly error: {
    readonly type: string;
    readonly message: string;
    readonly details?: { readonly error_code: string };
  };
  readonly request_id: string | null;
}

/** Of the statuses that aren't told by their hundreds (platform.claude.com/docs/en/api/errors). */
const TYPE_OF_STATUS: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [409, 'conflict_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
]);

/** One of our errors, or the verdict of an upstream, in Anthropic's shape. */
export function messagesErrorBody({ error }: ErrorBody, status: number, requestId: string | null): MessagesErrorBody {
  const { code } = error;
  const message = code === TOO_LONG ? inAgentsWords(error.message) : error.message;
  const type = TYPE_OF_STATUS.get(status) ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  const details = code === null ? {} : { details: { error_code: code } };
  return { type: 'error', error: { type, message, ...details }, request_id: requestId };
}

const TOO_LONG: ErrorCode = 'context_length_exceeded';

/** Agents shorten their conversation by themselves when they read how Anthropic begins. */
function inAgentsWords(message: string): string {
  return /prompt is too long/i.test(message) ? message : `prompt is too long: ${message}`;
}

/** An error as the last event of a stream. */
export function messagesErrorEvent(body: ErrorBody, status: number): string {
  return `event: error\ndata: ${JSON.stringify(messagesErrorBody(body, status, null))}\n\n`;
}
