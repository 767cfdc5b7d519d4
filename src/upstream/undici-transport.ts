import { getCACertificates } from 'node:tls';
import { type Dispatcher, Pool, ProxyAgent } from 'undici';
import type { Clock } from '../clock.ts';
import { Bag } from './bag.ts';
import { aloneInMemory, ONE_SHOT_BYTES, oneShotBody } from './sent-body.ts';
import { TrackedClient } from './tracked-client.ts';
import type { Transport, UpstreamCall, UpstreamHandler, UpstreamRequest } from './transport.ts';
import { UndiciCall } from './undici-call.ts';

export interface UndiciTransportOptions {
  readonly clock: Clock;
  /** The proxy to reach an origin through, such as `http://user:pass@proxy:3128`; null, or no function: none. */
  proxyFor?(origin: string): string | null;
  /** Certificates in PEM that an origin is trusted by besides the system's; null, or no function: only the system's. */
  caFor?(origin: string): string | null;
  /** How long an idle connection is kept where the vendor gives no hint: shorter than vendors keep theirs. 4 s. */
  readonly idleKeepAliveMs?: number;
}

const IDLE_KEEP_ALIVE_MS = 4_000;
/** A vendor's hint is followed up to here: what lies between us and it may forget a connection sooner. */
const MAX_KEEP_ALIVE_MS = 60_000;
/** Behind the call's own timeout, for what cannot be abandoned: a TLS handshake inside a tunnel. */
const TUNNEL_BACKSTOP_MS = 30_000;

export interface PooledTransport extends Transport {
  /** Whatever is sent to this origin from now on gets new connections; those in use are closed when they are done. */
  renew(origin: string): void;
}

/**
 * The transport port on undici's dispatch. Each origin has a pool without a limit of connections and without pipelining:
 * inside undici no request ever waits for another, where it could be neither seen nor aborted. Only HTTP/1.1: over HTTP/2
 * one broken connection fails all its streams. undici's own timeouts are off; they are too coarse.
 */
export function createUndiciTransport(options: UndiciTransportOptions): PooledTransport {
  return new UndiciTransport(options);
}

class UndiciTransport implements PooledTransport {
  readonly #options: UndiciTransportOptions;
  readonly #open = new Bag<UndiciCall>();
  readonly #dispatchers = new Map<string, Dispatcher>();
  /** Out of use, but for what is under way. */
  readonly #retired = new Set<Dispatcher>();
  #isClosed = false;

  constructor(options: UndiciTransportOptions) {
    this.#options = options;
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    const call = new UndiciCall(request, handler, { clock: this.#options.clock, open: this.#open });
    call.start((dispatchHandler) => {
      if (this.#isClosed) dispatchHandler.onResponseError(null, new Error('The transport is closed.'));
      else this.#dispatcherFor(request.origin).dispatch(dispatchOptions(request), dispatchHandler);
    });
    return call;
  }

  renew(origin: string): void {
    const dispatcher = this.#dispatchers.get(origin);
    if (!dispatcher) return;
    this.#dispatchers.delete(origin);
    this.#retired.add(dispatcher);
    const forget = () => this.#retired.delete(dispatcher);
    dispatcher.close().then(forget, forget);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const call of this.#open.all()) call.abort();
    const dispatchers = [...this.#dispatchers.values(), ...this.#retired];
    this.#dispatchers.clear();
    await Promise.all(dispatchers.map((dispatcher) => dispatcher.destroy()));
  }

  #dispatcherFor(origin: string): Dispatcher {
    const known = this.#dispatchers.get(origin);
    if (known) return known;
    const dispatcher = this.#createDispatcher(origin);
    this.#dispatchers.set(origin, dispatcher);
    return dispatcher;
  }

  #createDispatcher(origin: string): Dispatcher {
    const proxy = this.#options.proxyFor?.(origin) ?? null;
    const ca = this.#options.caFor?.(origin) ?? null;
    const tls = ca === null ? {} : { ca: [...getCACertificates('default'), ca] };
    const pool: Pool.Options = {
      connections: null,
      pipelining: 1,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: this.#options.idleKeepAliveMs ?? IDLE_KEEP_ALIVE_MS,
      keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
      factory: (url, options) => new TrackedClient(url, options as ConstructorParameters<typeof TrackedClient>[1]),
    };
    if (proxy === null) return new Pool(origin, { ...pool, connect: { ...tls, timeout: 0 } });
    return new ProxyAgent({
      uri: proxy,
      allowH2: false,
      connectTimeout: TUNNEL_BACKSTOP_MS,
      requestTls: tls,
      proxyTls: { ...tls, allowH2: false },
      // The agent gives the connector: a tunnel for https, the proxy itself for http.
      factory: (url, options) => new Pool(url, { ...pool, ...connectOf(options) }),
    });
  }
}

function connectOf(options: object): Pick<Pool.Options, 'connect'> {
  return 'connect' in options ? { connect: options.connect as NonNullable<Pool.Options['connect']> } : {};
}

function dispatchOptions({ method, origin, path, headers, body }: UpstreamRequest): Dispatcher.DispatchOptions {
  if (body === null) return { origin, path, method, headers, body };
  if (body.byteLength < ONE_SHOT_BYTES) return { origin, path, method, headers, body: aloneInMemory(body) };
  return {
    origin,
    path,
    method,
    headers: { ...headers, 'content-length': String(body.byteLength) },
    // undici takes any async iterable; its types name only Node's own.
    body: oneShotBody(body) as unknown as Buffer,
  };
}
