import { readdirSync, readFileSync } from 'node:fs';
import type { Provider } from '../../src/providers/provider.ts';
import { providerOf } from '../../src/providers/registry.ts';

/** Every fixture of a folder with its name as a sentence. */
export function readFixtures<T>(folder: string): (T & { readonly name: string })[] {
  const directory = new URL(`./fixtures/${folder}/`, import.meta.url);
  return readdirSync(directory).map((file) => ({
    ...(JSON.parse(readFileSync(new URL(file, directory), 'utf8')) as T),
    name: file.replace('.json', '').replaceAll('-', ' '),
  }));
}

export function provider(type: string): Provider {
  const found = providerOf(type);
  if (found === null) throw new Error(`no provider ${type}`);
  return found;
}
