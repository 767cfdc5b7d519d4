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

/** A model to ask, by its name. */
export interface Try {
  readonly name: string;
  /** It may wait for routes that are out of service: nothing that is in service has served the request. */
  readonly isPatient: boolean;
}

/**
 * Which models are asked, one after the other: the one that the client asked for, its fallbacks, then theirs. None is tried
 * twice, so models may well be each other's fallbacks; but those that were passed over because nothing of theirs was in
 * service are asked again at the end, when nobody else has served the request and there is nothing left but to wait.
 */
export class Fallbacks {
  readonly #seen: Set<string>;
  readonly #names: string[];
  readonly #resting: string[] = [];
  readonly #isAlone: boolean;

  /** @param isAlone nobody takes over, so the model that was asked is waited for in any case */
  constructor(asked: Pick<ServedModel, 'name'>, isAlone: boolean) {
    this.#seen = new Set([asked.name]);
    this.#names = [asked.name];
    this.#isAlone = isAlone;
  }

  /** A model has not served the request, or is no more there. A request that is wrong in itself is wrong for every model. */
  add(model: Links | null, error: ProxyError): void {
    if (model === null) return;
    if (error.details.couldWait) this.#resting.push(model.name);
    for (const name of takers(model, error)) {
      if (this.#seen.has(name)) continue;
      this.#seen.add(name);
      this.#names.push(name);
    }
  }

  next(): Try | null {
    const name = this.#names.shift();
    if (name !== undefined) return { name, isPatient: this.#isAlone };
    const resting = this.#resting.shift();
    return resting === undefined ? null : { name: resting, isPatient: true };
  }
}

function takers({ fallbacks, contextFallbacks }: Links, { code, details }: ProxyError): readonly string[] {
  if (details.verdict) return [];
  if (code === 'context_length_exceeded') return contextFallbacks;
  return NOT_SERVED.has(code) ? fallbacks : [];
}
