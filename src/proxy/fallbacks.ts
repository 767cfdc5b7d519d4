import type { ErrorCode, ProxyError } from '../errors.ts';
import type { ServedModel } from './served-model.ts';

/** With these a model could not start the request in time, or had no answer for it. */
const NOT_SERVED: ReadonlySet<ErrorCode> = new Set([
  'queue_full',
  'queue_wait_exceeded',
  'request_exceeds_limit',
  'no_usable_key',
  'upstream_error',
  'upstream_overloaded',
  'upstream_timeout',
  // Of the upstream: what clients ask for has been found by then.
  'model_not_found',
]);

type Links = Pick<ServedModel, 'name' | 'fallbacks' | 'contextFallbacks'>;

/**
 * Which models may take over from the one that was asked, one after the other: its own fallbacks first, then theirs. None is
 * tried twice, so models may well be each other's fallbacks.
 */
export class Fallbacks {
  readonly #seen: Set<string>;
  readonly #names: string[] = [];

  constructor(asked: Pick<ServedModel, 'name'>) {
    this.#seen = new Set([asked.name]);
  }

  /** A model has not served the request. One that is wrong in itself is wrong for every model. */
  add(model: Links, error: ProxyError): void {
    for (const name of takers(model, error)) {
      if (this.#seen.has(name)) continue;
      this.#seen.add(name);
      this.#names.push(name);
    }
  }

  next(): string | null {
    return this.#names.shift() ?? null;
  }
}

function takers({ fallbacks, contextFallbacks }: Links, { code, details }: ProxyError): readonly string[] {
  if (details.verdict) return [];
  if (code === 'context_length_exceeded') return contextFallbacks;
  return NOT_SERVED.has(code) ? fallbacks : [];
}
