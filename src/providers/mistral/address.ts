import type { PreparedCall, ProviderCall } from '../wire.ts';

/** Where an endpoint is, and with whose key. */
export function addressOf(
  { basePath, apiKey }: Pick<ProviderCall, 'basePath' | 'apiKey'>,
  endpoint: string,
): Pick<PreparedCall, 'path' | 'headers'> {
  return {
    path: `${basePath}${endpoint}`,
    headers: apiKey === null ? {} : { authorization: `Bearer ${apiKey}` },
  };
}
