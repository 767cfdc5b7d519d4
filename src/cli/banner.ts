import type { ClientConfig, Config, ModelConfig, ProviderConfig } from '../config/config.ts';
import { exampleModel } from '../config/example-model.ts';
import { type LimitGroup, LimitScopes, routesOf } from '../config/limit-scopes.ts';
import { type EffectiveLimits, effectiveLimits, LIMIT_MEANING, LIMIT_NAMES, type LimitName } from '../config/limits.ts';
import { dollars, toNanoUsd } from '../money.ts';

/** Where the keys and settings came from. */
export type ConfigOrigin = { readonly file: string } | { readonly variables: readonly string[] };

export interface BannerFacts {
  readonly version: string;
  /** Where the server listens: `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly config: Config;
  readonly origin: ConfigOrigin;
  readonly warnings: readonly string[];
}

/** What nobody has measured yet: a mean prompt in tokens, for the estimate of how much fits into a queue. */
const MEAN_PROMPT_TOKENS = 1_000;
const MOST_LINES = 12;

/** The plain text that a start prints: where the keys come from, where it listens, what may be asked, what binds. */
export function banner(facts: BannerFacts): string {
  const { version, url, config, warnings } = facts;
  return [
    originLine(facts.origin),
    `Sluice ${version} listens on ${url}${isWildcard(config.server.host) ? ', at every address of this machine' : ''}`,
    `  models   ${modelsLine(config)}`,
    ...quotaLines(config),
    `  clients  ${clientsLine(config)}`,
    ...warnings.map((warning) => `  warning  ${warning}`),
    ...(config.providers.length === 0 ? [] : [`Try it:\n  ${curlLine(url, config)}`]),
    '',
  ].join('\n');
}

function originLine(origin: ConfigOrigin): string {
  if ('file' in origin) return `Configuration from ${origin.file}, watched: changes apply while requests run`;
  return `Keys taken from the environment: ${origin.variables.join(', ')}`;
}

function modelsLine({ models, providers }: Config): string {
  const open = providers.filter(({ takesAnyModel }) => takesAnyModel || models.length === 0).map(({ name }) => name);
  const named = models.map(({ name, aliases }) => [name, ...aliases].join(' = '));
  const rest = open.length === 0 ? [] : [`every model of ${open.join(', ')}`];
  return listed([...named, ...rest]);
}

function clientsLine({ clients, server }: Config): string {
  if (clients.length > 0) return `${listed(clients.map(clientText))}, by key`;
  const door =
    server.auth === 'none' ? 'everybody who reaches this address may call' : 'whoever is on this machine may call';
  return `none configured: ${door}`;
}

/** With what sets it apart from a client of which nothing is said but its key. */
function clientText({ name, priority, weight, budget, limits }: ClientConfig): string {
  const facts = [
    ...(priority === 'normal' ? [] : [priority]),
    ...(weight === 1 ? [] : [`weight ${weight}`]),
    ...(budget === null ? [] : [budgetText(budget)]),
    ...limitTexts(effectiveLimits([limits])),
  ];
  return facts.length === 0 ? name : `${name} (${facts.join(', ')})`;
}

function budgetText({ usd, per }: NonNullable<ClientConfig['budget']>): string {
  return `${dollars(toNanoUsd(usd))} ${per === 'total' ? 'in all' : `a ${per}`}`;
}

/** At most so many that a terminal still shows the rest of the banner. */
function listed(items: readonly string[]): string {
  const shown = items.slice(0, MOST_LINES).join(', ');
  return items.length > MOST_LINES ? `${shown} and ${items.length - MOST_LINES} more` : shown || 'none';
}

interface QuotaLine {
  readonly group: LimitGroup;
  readonly maxWaitMs: number;
}

function quotaLines(config: Config): string[] {
  const scopes = new LimitScopes(config);
  const groups = new Map<string, QuotaLine>();
  for (const { route, maxWaitMs } of namedRoutes(config)) {
    for (const group of worthTelling(scopes.groupsOf(route))) {
      if (!groups.has(group.scopeId)) groups.set(group.scopeId, { group, maxWaitMs });
    }
  }
  const lines = [...groups.values()].map((line) => `  quota    ${quotaText(line, config)}`);
  const rest = lines.length > MOST_LINES ? [`  quota    and ${lines.length - MOST_LINES} more`] : [];
  return [...lines.slice(0, MOST_LINES), ...rest];
}

/** Where a line of the quota gives the model's limits, that more may be learned beside them would only confuse. */
function worthTelling(groups: readonly LimitGroup[]): readonly LimitGroup[] {
  if (!groups.some(({ kind }) => kind === 'pattern')) return groups;
  return groups.filter(({ limits }) => Object.keys(limits).length > 0);
}

/** The routes of the configured models; where there are none, each key with whatever model comes. */
function namedRoutes({ models, providers, defaults }: Config) {
  if (models.length === 0) {
    return providers.flatMap((provider) =>
      routesOf(provider, '*').map((route) => ({ route, maxWaitMs: defaults.queue.maxWaitMs })),
    );
  }
  return models.flatMap((model) => routesOfModel(model, providers));
}

function routesOfModel({ targets, queue }: ModelConfig, providers: readonly ProviderConfig[]) {
  return targets.flatMap((target) => {
    const provider = providers.find(({ name }) => name === target.provider);
    if (!provider) return [];
    return routesOf(provider, target.model).map((route) => ({ route, maxWaitMs: queue.maxWaitMs }));
  });
}

function quotaText({ group, maxWaitMs }: QuotaLine, config: Config): string {
  const limits = limitTexts(group.limits);
  if (limits.length === 0) return `${group.name}: limits are learned from answers`;
  const meanTokens = MEAN_PROMPT_TOKENS + config.defaults.predictedOutputTokens;
  const fitting = requestsWithin(group.limits, maxWaitMs, meanTokens);
  const known = `${group.name}: ${limits.join(', ')}`;
  if (fitting === null) return known;
  return `${known}; ${fitText(fitting, meanTokens)} its max_wait of ${maxWaitMs / 1000} s`;
}

function limitTexts(limits: EffectiveLimits): string[] {
  return LIMIT_NAMES.flatMap((name) => {
    const setting = limits[name];
    return setting ? [`${name} ${setting.limit.toLocaleString('en-US')}`] : [];
  });
}

function fitText(requests: number, meanTokens: number): string {
  if (requests < 1) return `less than 1 request of ${meanTokens} tokens fits`;
  if (requests === 1) return `about 1 request of ${meanTokens} tokens fits`;
  return `about ${requests.toLocaleString('en-US')} requests of ${meanTokens} tokens fit`;
}

/** How many mean requests the limits let through in that time; null when only requests in flight are limited. */
function requestsWithin(limits: EffectiveLimits, waitMs: number, meanTokens: number): number | null {
  const counts = LIMIT_NAMES.flatMap((name) => {
    const { windowMs } = LIMIT_MEANING[name];
    const setting = limits[name];
    if (!setting || windowMs === null) return [];
    // What is left of a day can be used at any time of it; a minute's limit comes back as the minute passes.
    const windows = waitMs < windowMs && name.endsWith('d') ? 1 : waitMs / windowMs;
    return [(setting.limit * windows) / costOf(name, meanTokens)];
  });
  return counts.length === 0 ? null : Math.floor(Math.min(...counts));
}

function costOf(name: LimitName, meanTokens: number): number {
  const { unit } = LIMIT_MEANING[name];
  if (unit === 'requests') return 1;
  if (unit === 'input_tokens') return MEAN_PROMPT_TOKENS;
  return unit === 'output_tokens' ? meanTokens - MEAN_PROMPT_TOKENS : meanTokens;
}

function curlLine(url: string, config: Config): string {
  const body = JSON.stringify({ model: exampleModel(config), messages: [{ role: 'user', content: 'Hello' }] });
  const key = config.clients.length > 0 ? ` -H 'authorization: Bearer YOUR_CLIENT_KEY'` : '';
  return `curl ${reachable(url)}/v1/chat/completions -H 'content-type: application/json'${key} -d '${body}'`;
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** An address that stands for every interface is none to connect to. */
function reachable(url: string): string {
  return url.replace('//0.0.0.0', '//127.0.0.1').replace('//[::]', '//[::1]');
}
