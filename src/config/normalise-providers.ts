import type { CallTimeouts, KeyConfig, ProviderConfig } from './config.ts';
import { withoutAbsent } from './limits.ts';
import type { ParsedConfig } from './schema.ts';
import { Secret } from './secret.ts';

type ParsedProvider = ParsedConfig['providers'][number];
type ParsedKeys = NonNullable<ParsedProvider['keys']>;
type ParsedKeyDetails = Exclude<Exclude<ParsedKeys, string>[number], string>;

/** A credential of the file before it has a name, and where it stands. */
export interface WrittenKey {
  readonly secret: string;
  readonly details: ParsedKeyDetails | null;
  /** Below the provider: `['keys', 1]`. */
  readonly path: readonly (string | number)[];
}

/** All credentials of a provider. Plain text may hold several with commas between, as environment variables do. */
export function writtenKeys(keys: ParsedKeys | undefined): WrittenKey[] {
  if (keys === undefined) return [];
  if (typeof keys === 'string') return separate(keys, ['keys']);
  return keys.flatMap((key, index): WrittenKey[] => {
    const path = ['keys', index];
    return typeof key === 'string' ? separate(key, path) : [{ secret: key.key, details: key, path }];
  });
}

function separate(text: string, path: readonly (string | number)[]): WrittenKey[] {
  const secrets = text.split(',').map((part) => part.trim());
  return secrets.filter((secret) => secret !== '').map((secret) => ({ secret, details: null, path }));
}

export function normaliseProvider(
  provider: ParsedProvider,
  timeouts: CallTimeouts,
  readCa: (file: string) => string,
): ProviderConfig {
  const baseUrls = provider.base_urls ?? (provider.base_url === undefined ? [] : [provider.base_url]);
  return {
    name: provider.name ?? provider.type,
    type: provider.type,
    baseUrls: baseUrls.map((url) => url.replace(/\/+$/, '')),
    headers: new Map(Object.entries(provider.headers).map(([name, value]) => [name, new Secret(value)])),
    forwardHeaders: provider.forward_headers.map((name) => name.toLowerCase()),
    keys: normaliseKeys(writtenKeys(provider.keys)),
    limits: withoutAbsent(provider.limits),
    timeouts,
    proxy: provider.proxy === undefined ? null : new Secret(provider.proxy),
    ca: provider.ca_file === undefined ? null : readCa(provider.ca_file),
    canStreamUsage: provider.stream_usage,
    apiVersion: provider.api_version ?? null,
    fetchesImages: provider.fetch_images,
    takesAnyModel: provider.any_model,
    isRaw: provider.raw,
    probeIntervalMs: provider.probe?.interval ?? null,
  };
}

function normaliseKeys(written: readonly WrittenKey[]): KeyConfig[] {
  const taken = new Set(written.flatMap(({ details }) => details?.name ?? []));
  return written.map(({ secret, details }, index) => ({
    name: details?.name ?? freeName(index + 1, taken),
    key: new Secret(secret),
    quota: details?.quota ?? null,
    limits: withoutAbsent(details?.limits ?? {}),
    models: details?.models ?? null,
    isEnabled: details?.enabled ?? true,
  }));
}

/** `key-3` for the third key, unless another has that name already. */
function freeName(position: number, taken: Set<string>): string {
  let number = position;
  while (taken.has(`key-${number}`)) number++;
  const name = `key-${number}`;
  taken.add(name);
  return name;
}
