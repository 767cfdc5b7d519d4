import type { ProviderConfig } from '../config/config.ts';
import { providerOf } from '../providers/registry.ts';

/** Base URLs of a provider's servers: as configured, else its vendor's own. One route and quota each. */
export function serversOf({ type, baseUrls }: ProviderConfig): readonly string[] {
  if (baseUrls.length > 0) return baseUrls;
  const own = providerOf(type)?.baseUrl;
  return own ? [own] : [];
}
