import type { Clock } from '../clock.ts';
import type { Config, ProviderConfig } from '../config/config.ts';
import { environmentProxy } from '../upstream/environment-proxy.ts';
import type { Transport } from '../upstream/transport.ts';
import { createUndiciTransport } from '../upstream/undici-transport.ts';
import { serversOf } from './adapters.ts';

/** A transport that can take another configuration. */
export interface ConfiguredTransport extends Transport {
  /** Connections that were made otherwise, or lead where nothing is configured any more, are used no more. */
  reconfigure(config: Config): void;
}

/** The transport with each provider's own proxy and certificates, and the environment's proxy for the others. */
export function createTransport(
  config: Config,
  { clock, env }: { readonly clock: Clock; readonly env: Readonly<Record<string, string | undefined>> },
): ConfiguredTransport {
  let byOrigin = providersByOrigin(config);
  const fromEnvironment = environmentProxy({
    httpProxy: env['http_proxy'] ?? env['HTTP_PROXY'],
    httpsProxy: env['https_proxy'] ?? env['HTTPS_PROXY'],
    noProxy: env['no_proxy'] ?? env['NO_PROXY'],
  });
  const transport = createUndiciTransport({
    clock,
    proxyFor: (origin) => byOrigin.get(origin)?.proxy?.reveal() ?? fromEnvironment(origin),
    caFor: (origin) => byOrigin.get(origin)?.ca ?? null,
  });
  return {
    send: (request, handler) => transport.send(request, handler),
    close: () => transport.close(),
    reconfigure(next) {
      const before = byOrigin;
      byOrigin = providersByOrigin(next);
      for (const [origin, provider] of before) {
        if (!isReachedAlike(provider, byOrigin.get(origin))) transport.renew(origin);
      }
    },
  };
}

function providersByOrigin({ providers }: Config): ReadonlyMap<string, ProviderConfig> {
  return new Map(
    providers.flatMap((provider) => serversOf(provider).map((url) => [new URL(url).origin, provider] as const)),
  );
}

function isReachedAlike(before: ProviderConfig, after: ProviderConfig | undefined): boolean {
  if (after === undefined) return false;
  return before.ca === after.ca && before.proxy?.reveal() === after.proxy?.reveal();
}
