import type { Finding } from './mistakes.ts';
import { Entry, type IsFromOutside, type Mention } from './outline.ts';
import { PROVIDER_TYPES, RESERVED_PROVIDER_NAMES, TYPES_WITHOUT_ADDRESS } from './provider-types.ts';
import { didYouMean } from './suggest.ts';

/**
 * What refers to what. It reads the tree itself and not what the schema made of it, so that a file with a mistake of
 * form still gets all of its mistakes of reference told at once.
 */
export function checkReferences(tree: unknown, isFromOutside: IsFromOutside): Finding[] {
  const root = Entry.root(tree, isFromOutside);
  const providers = root.list('providers');
  const models = root.list('models');
  return [
    ...checkNames(root),
    ...providers.flatMap(checkProviderType),
    ...providers.flatMap((provider) => checkKeys(provider, namesOf(root.list('quotas')))),
    ...models.flatMap((model) => checkTargets(model, providers)),
    ...checkModelReferences(root, models),
  ];
}

function namesOf(entries: readonly Entry[]): Mention[] {
  return entries.flatMap((entry) => entry.text('name') ?? []);
}

/** The name of a provider, which is its type where it has none; the path is where to change it. */
function providerName(provider: Entry): Mention | null {
  return provider.text('name') ?? provider.text('type');
}

function checkNames(root: Entry): Finding[] {
  const providerNames = root.list('providers').flatMap((provider) => providerName(provider) ?? []);
  const models = root.list('models');
  return [
    ...duplicates(namesOf(root.list('clients'))),
    ...duplicates(namesOf(root.list('quotas'))),
    ...duplicates(providerNames),
    ...duplicates(models.flatMap((model) => [...namesOf([model]), ...model.texts('aliases')])),
    ...providerNames.flatMap(checkReserved),
  ];
}

function duplicates(mentions: readonly Mention[]): Finding[] {
  const seen = new Map<string, Mention>();
  return mentions.flatMap((mention) => {
    if (!seen.has(mention.text)) {
      seen.set(mention.text, mention);
      return [];
    }
    const advice = mention.path.at(-1) === 'type' ? 'give each a `name` of its own' : 'names must differ';
    return [{ path: mention.path, message: `${mention.shown} is taken already: ${advice}` }];
  });
}

function checkReserved({ text, path, shown }: Mention): Finding[] {
  const reserved = RESERVED_PROVIDER_NAMES.find((name) => text === name || text.startsWith(`${name}/`));
  return reserved === undefined ? [] : [{ path, message: `${shown} is a path of Sluice's own: choose another name` }];
}

function checkProviderType(provider: Entry): Finding[] {
  const type = provider.text('type');
  const known = PROVIDER_TYPES.find((name) => name === type?.text);
  if (!type || !known) return [];
  const address = TYPES_WITHOUT_ADDRESS.get(known);
  if (address === undefined || provider.has('base_url') || provider.has('base_urls')) return [];
  const message = `needs a \`base_url\` such as ${address}: the type ${known} has no address of its own`;
  return [{ path: provider.path, message }];
}

function checkKeys(provider: Entry, quotas: readonly Mention[]): Finding[] {
  const keys = provider.list('keys');
  const known = quotas.map(({ text }) => text);
  const unknownQuotas = keys.flatMap((key) => {
    const quota = key.text('quota');
    return quota ? undefinedName(quota, known, 'quotas') : [];
  });
  return [...duplicates(namesOf(keys)), ...unknownQuotas];
}

function checkTargets(model: Entry, providers: readonly Entry[]): Finding[] {
  const known = providers.flatMap((provider) => providerName(provider)?.text ?? []);
  const seen = new Set<string>();
  return model.list('targets').flatMap((target): Finding[] => {
    const provider = target.text('provider');
    if (!provider) return [];
    const upstream = target.text('model') ?? model.text('name');
    const id = JSON.stringify([provider.text, upstream?.text]);
    const isRepeated = seen.has(id);
    seen.add(id);
    return [
      ...undefinedName(provider, known, 'providers'),
      ...(isRepeated ? [{ path: target.path, message: 'is the same provider and model as a target before it' }] : []),
    ];
  });
}

function undefinedName(mention: Mention, known: readonly string[], where: string): Finding[] {
  if (known.includes(mention.text)) return [];
  const hint = didYouMean(mention.text, known) || ` Add it under \`${where}\`.`;
  return [{ path: mention.path, message: `${mention.shown} is not defined.${hint}` }];
}

function checkModelReferences(root: Entry, models: readonly Entry[]): Finding[] {
  const known = models.flatMap((model) => [...namesOf([model]), ...model.texts('aliases')].map(({ text }) => text));
  const fallbacks = models.flatMap((model) => {
    const own = [...namesOf([model]), ...model.texts('aliases')].map(({ text }) => text);
    return [...model.texts('fallbacks'), ...model.texts('context_fallbacks')].flatMap((fallback) =>
      own.includes(fallback.text)
        ? [{ path: fallback.path, message: 'is the model itself: name another one' }]
        : undefinedName(fallback, known, 'models'),
    );
  });
  const fallback = root.text('default_model');
  // Without `models`, or with a provider that takes any name, the upstream knows better.
  const isOpen = models.length === 0 || root.list('providers').some((provider) => provider.isTrue('any_model'));
  return fallback && !isOpen ? [...fallbacks, ...undefinedName(fallback, known, 'models')] : fallbacks;
}
