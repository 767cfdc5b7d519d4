import type { ProviderConfig } from '../config/config.ts';
import type { Provider } from '../providers/provider.ts';
import { providerOf } from '../providers/registry.ts';

/** The facts about a provider's vendor. */
export function adapterOf({ type }: Pick<ProviderConfig, 'type'>): Provider {
  const adapter = providerOf(type);
  // The configuration refuses types without an adapter, so this can't be reached from outside.
  if (adapter === null) throw new Error(`no adapter for ${type}`);
  return adapter;
}

/** Base URLs of a provider's servers: as configured, else its vendor's own. One route and quota each. */
export function serversOf(provider: ProviderConfig): readonly string[] {
  const { baseUrls } = provider;
  // Only a type without an address of its own has none, and there the configuration must give one.
  return baseUrls.length > 0 ? baseUrls : [adapterOf(provider).baseUrl as string];
}
