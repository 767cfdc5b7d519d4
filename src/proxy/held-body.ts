import { createHash } from 'node:crypto';
import type { ClientRequest } from './exchange.ts';
import { type BodyReader, type RequestBody, readRequestBody } from './request-body.ts';

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

  /** The body as a model is to be asked, with its parsed form: a further model needs that again. */
  reread(reader: BodyReader): RequestBody {
    if (this.#body === null) throw new Error('a released body was asked for');
    if (this.#body.parsed === null) this.#body = readRequestBody(this.#body.bytes, reader);
    return this.#body;
  }

  /** What is to be sent has changed. */
  replace(body: RequestBody): void {
    this.#body = body;
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
      .update(this.#body ? this.#request.body : this.#request.id)
      .digest('base64');
  }
}
