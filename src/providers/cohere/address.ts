import type { PreparedCall, ProviderCall } from '../wire.ts';

/** Where an endpoint of the second version is, and with whose key. Addresses are given with `/v2` and without. */
export function addressOf(
  { basePath, apiKey }: Pick<ProviderCall, 'basePath' | 'apiKey'>,
  endpoint: string,
): Pick<PreparedCall, 'path' | 'headers'> {
  const base = basePath.endsWith('/v2') ? basePath : `${basePath}/v2`;
  return {
    path: `${base}${endpoint}`,
    headers: apiKey === null ? {} : { authorization: `Bearer ${apiKey}` },
  };
}
