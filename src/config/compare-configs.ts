import type { Config, KeyConfig, ProviderConfig } from './config.ts';
import { fingerprint } from './fingerprint.ts';

/** What differs between two configurations, by the names that people gave: `key openai/a1`, `client web (limits)`. */
interface ConfigChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** What a running server makes of another configuration. */
export interface Adoption {
  /** What holds from now on: the new one, but for what takes a restart. */
  readonly config: Config;
  readonly changes: ConfigChanges;
  /** Settings, by their paths in the file, that stay what they were until a restart. */
  readonly needsRestart: readonly string[];
}

/** Ports, files and memory are taken at the start, and the queue's order is built on its rule. */
const AT_START = {
  server: ['host', 'port', 'bodyMemoryBytes', 'maxConnections', 'timeouts'],
  log: ['format'],
  state: ['file'],
  defaults: ['classes'],
} as const;

/** Where the file has another word than the program. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['bodyMemoryBytes', 'body_memory'],
  ['bodyLimitBytes', 'body_limit'],
  ['corsOrigins', 'cors'],
  ['hasDebugHeaders', 'debug_headers'],
  ['streamKeepaliveMs', 'stream_keepalive'],
  ['hasRequests', 'requests'],
  ['predictedOutputTokens', 'predicted_output'],
  ['keySha256', 'key'],
  ['isEnabled', 'enabled'],
  ['takesAnyModel', 'any_model'],
  ['isRaw', 'raw'],
  ['canStreamUsage', 'stream_usage'],
  ['fetchesImages', 'fetch_images'],
  ['ca', 'ca_file'],
  ['probeIntervalMs', 'probe'],
  ['baseUrls', 'base_url'],
]);

/** A new configuration for a server that runs under another one. */
export function adopt(running: Config, wanted: Config): Adoption {
  const server = { ...wanted.server, ...pick(running.server, AT_START.server) };
  const log = { ...wanted.log, ...pick(running.log, AT_START.log) };
  const defaults = { ...wanted.defaults, ...pick(running.defaults, AT_START.defaults) };
  const config = { ...wanted, server, log, defaults, state: running.state };
  const needsRestart = Object.entries(AT_START).flatMap(([section, names]) => {
    const [here, there] = [running, wanted].map((each) => each[section as keyof typeof AT_START] as object);
    const wantsOther = differing(here as object, there as object);
    return names.filter((name) => wantsOther.includes(name)).map((name) => `${section}.${word(name)}`);
  });
  return { config, changes: changesBetween(running, config), needsRestart };
}

function changesBetween(before: Config, after: Config): ConfigChanges {
  const [old, now] = [partsOf(before), partsOf(after)];
  const added = [...now.keys()].filter((name) => !old.has(name));
  const removed = [...old.keys()].filter((name) => !now.has(name));
  const changed = [...now].flatMap(([name, part]) => {
    const words = differing(old.get(name) ?? part, part).map(word);
    return words.length === 0 ? [] : [`${name} (${words.join(', ')})`];
  });
  return { added, removed, changed };
}

/** Everything that has a name of its own, by that. */
function partsOf({ server, log, defaults, defaultModel, hedge, ...lists }: Config): ReadonlyMap<string, object> {
  const parts = new Map<string, object>([
    ['server', server],
    ['log', log],
    ['defaults', defaults],
    ['default_model', { name: defaultModel }],
    // Always with the same words, so that what goes is told like what comes.
    ['hedge', { afterMs: hedge?.afterMs, maxShare: hedge?.maxShare }],
  ]);
  const { clients, quotas, providers, models } = lists;
  for (const provider of providers) {
    const { keys, ...rest } = provider;
    parts.set(`provider ${provider.name}`, rest);
    for (const key of keys) parts.set(keyName(provider, key), key);
  }
  for (const [kind, named] of Object.entries({ quota: quotas, model: models, client: clients })) {
    for (const each of named) parts.set(`${kind} ${each.name}`, each);
  }
  return parts;
}

function keyName(provider: ProviderConfig, key: KeyConfig): string {
  return `key ${provider.name}/${key.name}`;
}

function differing(one: object, other: object): string[] {
  const [here, there] = [new Map(Object.entries(one)), new Map(Object.entries(other))];
  return [...there.keys()].filter((name) => fingerprint(here.get(name)) !== fingerprint(there.get(name)));
}

function pick<Part extends object, Name extends keyof Part>(part: Part, names: readonly Name[]): Pick<Part, Name> {
  return Object.fromEntries(names.map((name) => [name, part[name]])) as Pick<Part, Name>;
}

function word(name: string): string {
  return WORDS.get(name) ?? name.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
