import { isLoopback } from '../config/addresses.ts';
import type { Config } from '../config/config.ts';
import { fingerprint } from '../config/fingerprint.ts';
import type { Client } from '../proxy/exchange.ts';
import type { RequestSettings } from '../proxy/request-services.ts';
import type { RetryAllowance } from '../proxy/retry-budget.ts';

export function requestSettings({ server, defaults }: Config, version: string): RequestSettings {
  const { streamKeepaliveMs, earlyHead, hasDebugHeaders } = server;
  const { attempts } = defaults.retry;
  return { streamKeepaliveMs, earlyHead, hasDebugHeaders, attempts, userAgent: `sluice/${version}` };
}

/** Null: nobody has to say who they are. */
export function clientsByKey({ clients }: Config): ReadonlyMap<string, Client> | null {
  if (clients.length === 0) return null;
  return new Map(clients.map(({ name, keySha256 }) => [keySha256, { name }]));
}

/** How the server listens and what it lets in. */
export function serverSettings({ server, clients }: Config) {
  const { bodyLimitBytes, bodyMemoryBytes, maxConnections, timeouts, compression, corsOrigins, hasDebugHeaders } =
    server;
  const openTo: 'loopback' | 'any' = clients.length === 0 && isLoopback(server.host) ? 'loopback' : 'any';
  return {
    bodyLimitBytes,
    bodyMemoryBytes,
    maxConnections,
    // Copied, so that its type is spelt out: the build can't name one that another file keeps to itself.
    timeouts: { ...timeouts },
    compression,
    corsOrigins,
    hasDebugHeaders,
    openTo,
  };
}

/** Those whose names begin paths. */
export function providerPaths({ providers }: Config): { readonly name: string; readonly isRaw: boolean }[] {
  return providers.map(({ name, isRaw }) => ({ name, isRaw }));
}

/** Whether a server with these settings and paths serves the other configuration as well. */
export function isServedAlike(one: Config, other: Config): boolean {
  const [here, there] = [one, other].map((config) => fingerprint([serverSettings(config), providerPaths(config)]));
  return here === there;
}

export function retryAllowance({ defaults }: Config): RetryAllowance {
  return { share: defaults.retry.budgetShare, floor: RETRY_FLOOR };
}

/** Upstream models whose vocabularies are wanted in memory before anybody asks. */
export function knownUpstreamModels({ models }: Config): string[] {
  return models.flatMap(({ targets }) => targets.map(({ baseModel, model }) => baseModel ?? model));
}

/** Retries that are allowed however few requests there were, in a minute. */
const RETRY_FLOOR = 10;
