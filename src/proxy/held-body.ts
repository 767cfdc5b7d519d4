import { createHash } from 'node:crypto';
import type { ClientRequest } from './exchange.ts';
import type { RequestBody } from './request-body.ts';

/**
 * The one holder of a request's body while it waits and is sent. Released when no further attempt can need it, so that a
 * long stream does not keep megabytes of prompt in memory.
 */
export class HeldBody {
  readonly #request: ClientRequest;
  #body: RequestBody | null;
  #placeKey: string | null = null;

  constructor(request: ClientRequest, body: RequestBody) {
    this.#request = request;
    this.#body = body;
  }

  /** Null once released. */
  get body(): RequestBody | null {
    return this.#body;
  }

  /** Recognises a repeat: the same client and endpoint, the same bytes. Hashed when it is asked for first, which is seldom. */
  placeKey(): string {
    const { client, operation, modelInPath, providerInPath } = this.#request;
    this.#placeKey ??= [client.name, operation, providerInPath ?? '', modelInPath ?? '', this.#hash()].join(' ');
    return this.#placeKey;
  }

  release(): void {
    this.#body = null;
    this.#request.releaseBody();
  }

  #hash(): string {
    return createHash('sha256')
      .update(this.#body?.bytes ?? this.#request.id)
      .digest('base64');
  }
}
