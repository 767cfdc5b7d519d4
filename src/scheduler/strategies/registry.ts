import { failover } from './failover.ts';
import { headroom } from './headroom.ts';
import { leastBusy } from './least-busy.ts';
import { leastUsage } from './least-usage.ts';
import { lowestPrice } from './lowest-price.ts';
import { createRoundRobin } from './round-robin.ts';
import type { Strategy } from './strategy.ts';
import { createWeighted } from './weighted.ts';

const STRATEGIES: Readonly<Record<string, () => Strategy>> = {
  headroom: () => headroom,
  failover: () => failover,
  'round-robin': createRoundRobin,
  weighted: createWeighted,
  'least-usage': () => leastUsage,
  'least-busy': () => leastBusy,
  'lowest-price': () => lowestPrice,
};

/** A strategy of its own for each model: some keep a turn. Null for a name that is unknown or not built yet. */
export function createStrategy(name: string): Strategy | null {
  return STRATEGIES[name]?.() ?? null;
}
