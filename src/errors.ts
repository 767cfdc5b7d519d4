/** Whose fault an error is: it decides status, log level and whether another route is tried. */
export type Origin = 'client' | 'sluice' | 'upstream';

/**
 * What a caller should do about it. `promise`: come back at `retryAfterMs`, a place is kept. `soon`: come back at
 * `retryAfterMs`, nothing is kept. `never`: the same request will fail again. `unsaid`: SDKs decide by the status.
 */
export type RetryAdvice = 'promise' | 'soon' | 'never' | 'unsaid';

type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'rate_limit_error'
  | 'server_error';

interface ErrorRow {
  readonly status: number;
  readonly type: ErrorType;
  readonly origin: Origin;
  readonly retry: RetryAdvice;
}

/** Every error that Sluice itself answers. `docs/errors.md` lists the same rows; a test keeps the two equal. */
export const ERROR_TABLE = {
  invalid_json: { status: 400, type: 'invalid_request_error', origin: 'client', retry: 'unsaid' },
  missing_required_parameter: { status: 400, type: 'invalid_request_error', origin: 'client', retry: 'unsaid' },
  invalid_type: { status: 400, type: 'invalid_request_error', origin: 'client', retry: 'unsaid' },
  bad_request: { status: 400, type: 'invalid_request_error', origin: 'client', retry: 'unsaid' },
  context_length_exceeded: { status: 400, type: 'invalid_request_error', origin: 'client', retry: 'never' },
  request_exceeds_limit: { status: 400, type: 'invalid_request_error', origin: 'client', retry: 'never' },
  invalid_image_url: { status: 400, type: 'invalid_request_error', origin: 'client', retry: 'unsaid' },
  unsupported_value: { status: 400, type: 'invalid_request_error', origin: 'client', retry: 'never' },
  invalid_api_key: { status: 401, type: 'authentication_error', origin: 'client', retry: 'unsaid' },
  model_not_allowed: { status: 403, type: 'permission_error', origin: 'client', retry: 'unsaid' },
  origin_not_allowed: { status: 403, type: 'permission_error', origin: 'client', retry: 'unsaid' },
  model_not_found: { status: 404, type: 'invalid_request_error', origin: 'client', retry: 'unsaid' },
  not_found: { status: 404, type: 'invalid_request_error', origin: 'client', retry: 'unsaid' },
  unknown_url: { status: 404, type: 'invalid_request_error', origin: 'client', retry: 'unsaid' },
  method_not_supported: { status: 405, type: 'invalid_request_error', origin: 'client', retry: 'unsaid' },
  request_timeout: { status: 408, type: 'invalid_request_error', origin: 'client', retry: 'unsaid' },
  request_too_large: { status: 413, type: 'invalid_request_error', origin: 'client', retry: 'unsaid' },
  uri_too_long: { status: 414, type: 'invalid_request_error', origin: 'client', retry: 'unsaid' },
  unsupported_media_type: { status: 415, type: 'invalid_request_error', origin: 'client', retry: 'unsaid' },
  headers_too_large: { status: 431, type: 'invalid_request_error', origin: 'client', retry: 'unsaid' },
  queue_full: { status: 429, type: 'rate_limit_error', origin: 'sluice', retry: 'promise' },
  queue_wait_exceeded: { status: 429, type: 'rate_limit_error', origin: 'sluice', retry: 'promise' },
  client_rate_limit_exceeded: { status: 429, type: 'rate_limit_error', origin: 'client', retry: 'soon' },
  client_budget_exceeded: { status: 429, type: 'rate_limit_error', origin: 'client', retry: 'never' },
  client_closed_request: { status: 499, type: 'invalid_request_error', origin: 'client', retry: 'unsaid' },
  internal_error: { status: 500, type: 'server_error', origin: 'sluice', retry: 'never' },
  not_supported: { status: 501, type: 'server_error', origin: 'sluice', retry: 'never' },
  upstream_error: { status: 502, type: 'server_error', origin: 'upstream', retry: 'never' },
  upstream_overloaded: { status: 503, type: 'server_error', origin: 'upstream', retry: 'never' },
  upstream_timeout: { status: 504, type: 'server_error', origin: 'upstream', retry: 'never' },
  no_usable_key: { status: 503, type: 'server_error', origin: 'sluice', retry: 'never' },
  server_busy: { status: 503, type: 'server_error', origin: 'sluice', retry: 'soon' },
  shutting_down: { status: 503, type: 'server_error', origin: 'sluice', retry: 'soon' },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_TABLE;

/** OpenAI's error body; every answer that is not a success has this shape. */
export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

export interface ProxyErrorDetails {
  /** The request's field that is wrong, as OpenAI names it. */
  readonly param?: string;
  /** From now until a repeat of the request can succeed. Absent: not known, or never. */
  readonly retryAfterMs?: number;
  /** Overrides the table. A wait beyond a minute is `never` in any case. */
  readonly retry?: RetryAdvice;
  /** The quota and limit that binds, as shown in `x-sluice-limit`. */
  readonly limit?: string;
  /** A verdict of the upstream on the request itself, passed on as it is: its status and its body, already scrubbed. */
  readonly verdict?: { readonly status: number; readonly body: ErrorBody };
  /** Further answer headers, such as `allow`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
  /** Said to see whether something else serves the request; if not, it may wait after all. */
  readonly couldWait?: boolean;
  /** Keeps the place that this refusal may promise, and gives `retryAfterMs`; null: none is kept. Once, by whoever tells it. */
  readonly keepPlace?: () => number | null;
}

/** An error as facts: which, whose fault, and whether a repeat makes sense. One table turns it into HTTP. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly code: ErrorCode;
  readonly details: ProxyErrorDetails;

  constructor(code: ErrorCode, message: string, details: ProxyErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return this.details.verdict?.status ?? ERROR_TABLE[this.code].status;
  }

  get origin(): Origin {
    return ERROR_TABLE[this.code].origin;
  }

  get retry(): RetryAdvice {
    const { retry, retryAfterMs = 0 } = this.details;
    return retryAfterMs > LONGEST_SLEEP_MS ? 'never' : (retry ?? ERROR_TABLE[this.code].retry);
  }

  /** The error as its client is told it: with the place kept that it may promise. */
  promised(): ProxyError {
    const { keepPlace, retry, ...details } = this.details;
    if (!keepPlace) return this;
    const retryAfterMs = keepPlace();
    const advice = retryAfterMs === null ? { ...(retry ? { retry } : {}) } : { retryAfterMs };
    return new ProxyError(this.code, this.message, { ...details, ...advice });
  }

  /** The body for the client. */
  toBody(): ErrorBody {
    const { verdict, param = null } = this.details;
    if (verdict) return verdict.body;
    const { type } = ERROR_TABLE[this.code];
    return { error: { message: `${this.message}${this.#retryHint()}`, type, param, code: this.code } };
  }

  /** Frameworks that ignore the headers, and whoever is refused in band, read the wait from the message. */
  #retryHint(): string {
    const { retryAfterMs } = this.details;
    if (this.status !== TOO_MANY_REQUESTS || this.retry === 'never' || retryAfterMs === undefined) return '';
    return ` Please try again in ${Math.max(1, Math.ceil(retryAfterMs / 100)) / 10}s.`;
  }
}

const TOO_MANY_REQUESTS = 429;

/** Some SDKs would sleep for all of a longer wait, others would not wait at all. */
const LONGEST_SLEEP_MS = 60_000;

/** The answer to an exception that nobody expected: it tells the request's id and nothing else. */
export function internalError(requestId: string, cause: unknown): ProxyError {
  return new ProxyError('internal_error', `The server failed on this request. Its id is ${requestId}.`, { cause });
}

export function shuttingDown(): ProxyError {
  return new ProxyError('shutting_down', 'The server is shutting down. Try again.');
}
