import type { Clock } from '../clock.ts';
import type { Config, ProviderConfig } from '../config/config.ts';
import { environmentProxy } from '../upstream/environment-proxy.ts';
import type { Transport } from '../upstream/transport.ts';
import { createUndiciTransport } from '../upstream/undici-transport.ts';
import { serversOf } from './adapters.ts';

/** The transport with each provider's own proxy and certificates, and the environment's proxy for the others. */
export function createTransport(
  { providers }: Config,
  { clock, env }: { readonly clock: Clock; readonly env: Readonly<Record<string, string | undefined>> },
): Transport {
  const byOrigin = new Map<string, ProviderConfig>();
  for (const provider of providers) {
    for (const url of serversOf(provider)) byOrigin.set(new URL(url).origin, provider);
  }
  const fromEnvironment = environmentProxy({
    httpProxy: env['http_proxy'] ?? env['HTTP_PROXY'],
    httpsProxy: env['https_proxy'] ?? env['HTTPS_PROXY'],
    noProxy: env['no_proxy'] ?? env['NO_PROXY'],
  });
  return createUndiciTransport({
    clock,
    proxyFor: (origin) => byOrigin.get(origin)?.proxy?.reveal() ?? fromEnvironment(origin),
    caFor: (origin) => byOrigin.get(origin)?.ca ?? null,
  });
}
