import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { ALL, type Behind } from './anthropic-vendors.ts';
import { type Client, MAJORS, type Major, type Options } from './openai-majors.ts';
import { type SimulatedWorld, startWorld } from './world.ts';

/** A vendor behind one major version of OpenAI's client. */
export interface Pair extends Major {
  readonly behind: Behind;
  /** For the names of tests. */
  readonly vendor: string;
}

export const PAIRS: readonly Pair[] = MAJORS.flatMap((major) =>
  ALL.map((behind) => ({ ...major, behind, vendor: behind.vendor })),
);

/** For what does not depend on the client's version. */
export const LATEST: readonly Pair[] = PAIRS.slice(-ALL.length);

interface Settings {
  readonly simulator?: Partial<SimulatorOptions>;
  readonly provider?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly client?: Options;
  /** Instead of the model that the vendor is known by here. */
  readonly model?: string;
}

/** Sluice in front of one simulated vendor, whose one model is called `house`. */
export function startBehind(behind: Behind, settings: Omit<Settings, 'client'> = {}): Promise<SimulatedWorld> {
  const { vendor, type, basePath } = behind;
  const model = settings.model ?? behind.model;
  return startWorld({
    basePath,
    simulator: { vendor, models: [model], ...settings.simulator },
    provider: { type, ...settings.provider },
    config: { models: [{ name: 'house', targets: [{ provider: 'simulated', model }] }], ...settings.config },
  });
}

export async function connectBehind(
  pair: Pair,
  { client = {}, ...settings }: Settings = {},
): Promise<SimulatedWorld & { client: Client }> {
  const world = await startBehind(pair.behind, settings);
  return { ...world, client: pair.connect(world, { maxRetries: 0, ...client }) };
}
