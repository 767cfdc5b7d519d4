import type { LevelWithSilent, Logger } from 'pino';
import type {
  ProxyEvents,
  RequestRefusal,
  RequestSummary,
  RouteChange,
  ServerEvents,
  UnexpectedFailure,
} from '../proxy/events.ts';

/** What a reload came to, by the names that people gave. */
export interface ConfigReload {
  readonly file: string;
  /** Of what was read, to tell versions from each other. */
  readonly version: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  /** Keys that their vendors had refused: they are tried again. */
  readonly reopened: readonly string[];
}

/** Writes events as log lines: one at `info` a request, one at `warn` a route that changes, one at `error` a bug. */
export class EventLog implements ProxyEvents, ServerEvents {
  readonly #logger: Logger;
  #hasRequests: boolean;

  /** @param settings `hasRequests`: whether requests that went as intended are worth a line */
  constructor(logger: Logger, settings: { readonly hasRequests: boolean }) {
    this.#logger = logger;
    this.#hasRequests = settings.hasRequests;
  }

  /** Another level, and whether requests are told of. */
  reconfigure({ level, hasRequests }: { readonly level: LevelWithSilent; readonly hasRequests: boolean }): void {
    this.#logger.level = level;
    this.#hasRequests = hasRequests;
  }

  /** Another configuration is in force. */
  reloaded(reload: ConfigReload): void {
    this.#logger.info({ ...reload }, 'configuration reloaded');
  }

  /** A configuration was refused; all is as it was. */
  reloadRefused({ file, mistakes }: { readonly file: string; readonly mistakes: readonly string[] }): void {
    this.#logger.error({ file, mistakes }, 'configuration refused: nothing was changed');
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
        failures: summary.failures.length > 0 ? summary.failures : null,
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
