import { tokenOf, type VendorSpec } from './vendor-specs.ts';

/** Who asks. Those without limits of their own are what is judged by healthy routes. */
export const CLIENTS = [
  { name: 'web', key: 'sk-client-chaos-web', priority: 'high' },
  { name: 'agents', key: 'sk-client-chaos-agents' },
  { name: 'batch', key: 'sk-client-chaos-batch', priority: 'low', weight: 2 },
  { name: 'bounded', key: 'sk-client-chaos-bounded', limits: { rpm: 300, concurrency: 10 } },
  { name: 'strict', key: 'sk-client-chaos-strict', limits: { rpm: 300 }, on_limit: 'reject' },
] as const;

export const MAX_WAIT_MS = 10_000;

interface ModelSpec {
  readonly name: string;
  readonly strategy: string;
  /** Providers; each has one model for chats, and some one for embeddings. */
  readonly targets: readonly string[];
  readonly isEmbedding: boolean;
}

export const MODELS: readonly ModelSpec[] = [
  { name: 'everyday', strategy: 'headroom', targets: ['openai', 'groq', 'mistral', 'local'], isEmbedding: false },
  { name: 'best', strategy: 'least-busy', targets: ['anthropic', 'gemini', 'openai'], isEmbedding: false },
  { name: 'cheap', strategy: 'failover', targets: ['groq', 'mistral'], isEmbedding: false },
  { name: 'solo', strategy: 'round-robin', targets: ['anthropic'], isEmbedding: false },
  { name: 'windows', strategy: 'least-usage', targets: ['gemini'], isEmbedding: false },
  // These vendors have the endpoint of responses.
  { name: 'respond', strategy: 'round-robin', targets: ['openai', 'groq'], isEmbedding: false },
  { name: 'embed', strategy: 'headroom', targets: ['openai', 'local'], isEmbedding: true },
];

/** The upstream's model that a target of ours asks for. */
export function upstreamModel({ models }: VendorSpec, isEmbedding: boolean): string {
  return (isEmbedding ? models[1] : models[0]) ?? '';
}

export interface Surroundings {
  /** By the vendor's name. */
  readonly urls: ReadonlyMap<string, string>;
  readonly stateFile: string;
  /** Each is another file, for the same world: who may call, how routes are picked and how long a queue may be differ. */
  readonly version: number;
}

export function sluiceConfig(specs: readonly VendorSpec[], { urls, stateFile, version }: Surroundings): object {
  return {
    server: { port: 0, stream_keepalive: '2s', shutdown_grace: '5s', timeouts: { keep_alive: '75s' } },
    log: { level: 'info', format: 'json', requests: false },
    state: { file: stateFile },
    defaults: {
      queue: { max_wait: `${MAX_WAIT_MS}ms`, max_size: 1_000 + version },
      timeouts: { connect: '1s', first_byte: '3s', idle: '2s', total: '20s' },
    },
    clients: [...CLIENTS, { name: `guest-${version}`, key: `sk-client-chaos-guest-${version}` }],
    quotas: specs.flatMap(({ keys, models, told }) =>
      [...new Set(keys.map(({ organization }) => organization))].map((name) => ({
        name,
        ...(told ? { models: Object.fromEntries(models.map((model) => [model, told])) } : {}),
      })),
    ),
    providers: specs.map(({ name, type, basePath, keys }) => ({
      name,
      type,
      base_url: `${urls.get(name)}${basePath}`,
      keys: keys.map((key) => ({ name: key.name, key: tokenOf(key.name), quota: key.organization })),
    })),
    models: MODELS.map(({ name, strategy, targets, isEmbedding }) => ({
      name,
      strategy: version % 2 === 0 ? strategy : 'headroom',
      targets: targets.map((provider) => {
        const spec = specs.find((each) => each.name === provider);
        return { provider, model: spec ? upstreamModel(spec, isEmbedding) : '' };
      }),
    })),
  };
}
