import { KEYS, provider, type SimulatorAt, startSimulator } from './world.ts';

/** Buckets of three seconds' worth: a load beyond the limits meets them almost at once. */
const BUCKET_SHARE = 0.05;

/** A second brings 4 requests with the first key, and tokens for 5 with the second. */
const BOUNDS = [
  { name: 'bad', rpm: 240, tpm: 100_000 },
  { name: 'good', rpm: 600, tpm: 9_600 },
] as const;

/** Between two requests of a load that is three times what the keys give, in ms. */
export const THREEFOLD_PAUSE_MS = 1_000 / 27;

/** A vendor with two keys, one bound by requests and one by tokens, that takes its time as vendors do. */
export function startBoundVendor(): Promise<SimulatorAt> {
  const bucket = (limit: number) => ({ limit, capacity: limit * BUCKET_SHARE });
  const organizations = BOUNDS.map(({ name, rpm, tpm }) => ({
    name: `of-${name}`,
    keys: [{ name, key: KEYS[name] }],
    limits: { rpm: bucket(rpm), tpm: bucket(tpm) },
  }));
  const firstByteMs = { kind: 'uniform', min: 20, max: 80 } as const;
  const arrivalDelayMs = { kind: 'uniform', min: 0, max: 30 } as const;
  return startSimulator({ organizations, models: ['gpt-4o'], answer: { firstByteMs }, arrivalDelayMs }, Math.random);
}

/** The configuration that knows those limits. */
export function boundConfig(url: string, more: object = {}): Readonly<Record<string, unknown>> {
  const bucket = (limit: number) => ({ limit, burst: BUCKET_SHARE });
  return {
    quotas: BOUNDS.map(({ name, rpm, tpm }) => ({
      name: `of-${name}`,
      models: { '*': { rpm: bucket(rpm), tpm: bucket(tpm) } },
    })),
    providers: [
      provider(
        url,
        BOUNDS.map(({ name }) => ({ name, key: KEYS[name], quota: `of-${name}` })),
      ),
    ],
    models: [{ name: 'gpt-4o', queue: { max_wait: '5s' }, targets: [{ provider: 'sim', model: 'gpt-4o' }] }],
    ...more,
  };
}

/** Of about 32 tokens. Each is another one: the same body from the same caller would be a repeat. */
export function boundRequest(number: number): object {
  return { messages: [{ role: 'user', content: `Hello ${number}` }], max_completion_tokens: 24 };
}
