import { isLoopback } from './addresses.ts';
import { checkPrices } from './check-prices.ts';
import type { Config } from './config.ts';
import { LimitScopes } from './limit-scopes.ts';
import { type Finding, formatPath, type Path } from './mistakes.ts';
import { clientKeyHash } from './normalise.ts';
import { writtenKeys } from './normalise-providers.ts';
import type { ParsedConfig } from './schema.ts';

/** What each section says is well formed, but together it cannot be meant. */
export function checkValues(parsed: ParsedConfig, config: Config): Finding[] {
  return [
    ...checkAccess(config),
    ...checkClientKeys(parsed),
    ...parsed.providers.flatMap((provider, index) => checkProviderKeys(provider, ['providers', index])),
    ...checkLoops(config),
    ...checkWays(config),
    ...checkLimits(config),
    ...checkPrices(config),
  ];
}

function checkAccess({ server, clients }: Config): Finding[] {
  const path = ['server', 'auth'];
  if (server.auth === 'none' && clients.length > 0) {
    return [
      { path, message: 'is none, but `clients` are configured, whose keys nobody would check: remove one of the two' },
    ];
  }
  if (server.auth === 'none' || clients.length > 0 || isLoopback(server.host)) return [];
  const message =
    'anybody who reaches this host could spend your keys: add `clients`, listen on 127.0.0.1, or say `auth: none`';
  return [{ path: ['server', 'host'], message }];
}

function checkClientKeys({ clients }: ParsedConfig): Finding[] {
  const places = clients.map(({ key }, index) => ({ id: clientKeyHash(key), path: ['clients', index, 'key'] }));
  return repeated(places).map(({ path, first }) => ({
    path,
    message: `is the same key as ${formatPath(first)}: a client is known by its key, so each needs its own`,
  }));
}

function checkProviderKeys(provider: ParsedConfig['providers'][number], path: Path): Finding[] {
  const written = writtenKeys(provider.keys);
  if (provider.keys !== undefined && written.length === 0) {
    const message = 'is empty: give a key, or leave `keys` out for a server without credentials';
    return [{ path: [...path, 'keys'], message }];
  }
  const places = written.map((key) => ({ id: key.secret, path: [...path, ...key.path] }));
  return repeated(places).map(({ path: again, first }) => ({
    path: again,
    message: `is the same key as ${formatPath(first)}: it would be counted twice, and its limits hold once`,
  }));
}

/** A request that Sluice sends to itself comes back until everything is full. */
function checkLoops({ server, providers }: Config): Finding[] {
  return providers.flatMap(({ baseUrls }, index) => {
    const isLoop = baseUrls.some((url) => {
      const { hostname, port, protocol } = new URL(url);
      return protocol === 'http:' && isLoopback(hostname) && (port || '80') === String(server.port);
    });
    if (!isLoop) return [];
    return [
      {
        path: ['providers', index],
        message: 'has the address of Sluice itself: change its `base_url` or `server.port`',
      },
    ];
  });
}

/** Connections are shared by all providers at an address, so there is one way to each. */
function checkWays({ providers }: Config): Finding[] {
  const ways = new Map<string, { readonly way: string; readonly first: Path }>();
  return providers.flatMap(({ type, baseUrls, proxy, ca }, index) => {
    const path: Path = ['providers', index];
    const way = JSON.stringify([proxy?.reveal() ?? null, ca]);
    const addresses = baseUrls.length === 0 ? [type] : baseUrls.map((url) => new URL(url).origin);
    const known = addresses.flatMap((address) => ways.get(address) ?? []);
    for (const address of addresses) if (!ways.has(address)) ways.set(address, { way, first: path });
    const other = known.find((each) => each.way !== way);
    if (!other) return [];
    const message = `has the address of ${formatPath(other.first)}, but another \`proxy\` or \`ca_file\`: make them equal`;
    return [{ path, message }];
  });
}

interface PlacedId {
  readonly id: string;
  readonly path: Path;
}

function repeated(places: readonly PlacedId[]): { path: Path; first: Path }[] {
  const seen = new Map<string, Path>();
  return places.flatMap(({ id, path }) => {
    const first = seen.get(id);
    if (first) return [{ path, first }];
    seen.set(id, path);
    return [];
  });
}

function checkLimits(config: Config): Finding[] {
  return new LimitScopes(config).contradictions().map(({ limitName, first, second, groupName }) => ({
    path: [...second.path, limitName],
    message: `contradicts ${formatPath([...first.path, limitName])}: both are for the same bucket (${groupName})`,
  }));
}
