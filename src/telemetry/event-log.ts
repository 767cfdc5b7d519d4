import type { Logger } from 'pino';
import type {
  ProxyEvents,
  RequestRefusal,
  RequestSummary,
  RouteChange,
  ServerEvents,
  UnexpectedFailure,
} from '../proxy/events.ts';

/** Writes events as log lines: one at `info` a request, one at `warn` a route that changes, one at `error` a bug. */
export class EventLog implements ProxyEvents, ServerEvents {
  readonly #logger: Logger;
  readonly #hasRequests: boolean;

  /** @param settings `hasRequests`: whether requests that went as intended are worth a line */
  constructor(logger: Logger, settings: { readonly hasRequests: boolean }) {
    this.#logger = logger;
    this.#hasRequests = settings.hasRequests;
  }

  requestEnded(summary: RequestSummary): void {
    if (!this.#hasRequests) return;
    const { tokens } = summary;
    this.#logger.info(
      {
        id: summary.id,
        client: summary.client,
        model: summary.modelAsked,
        served: summary.modelServed,
        provider: summary.provider,
        key: summary.key,
        stream: summary.isStreaming,
        attempts: summary.attempts,
        queue_ms: rounded(summary.queueMs),
        first_byte_ms: rounded(summary.firstByteMs),
        total_ms: rounded(summary.totalMs),
        tokens: {
          estimated_in: tokens.estimatedInput,
          estimated_out: tokens.estimatedOutput,
          in: tokens.input,
          cached: tokens.cachedInput,
          out: tokens.output,
        },
        cost_usd: summary.costUsd,
        status: summary.status,
        code: summary.code,
        limit: summary.limit,
      },
      'request',
    );
  }

  requestRefused({ totalMs, ...refusal }: RequestRefusal): void {
    if (this.#hasRequests) this.#logger.info({ ...refusal, total_ms: rounded(totalMs) }, 'request refused');
  }

  /** Something outside is not as it should be, and the program goes on without it. */
  problem(what: string): void {
    this.#logger.warn({ what }, 'problem');
  }

  routeChanged({ forMs, ...change }: RouteChange): void {
    this.#logger.warn({ ...change, for_ms: rounded(forMs) }, 'route changed');
  }

  failed({ requestId, error }: UnexpectedFailure): void {
    this.#logger.error({ id: requestId, error }, 'unexpected failure');
  }
}

/** Tenths of a millisecond are all that anybody reads. */
function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10;
}
