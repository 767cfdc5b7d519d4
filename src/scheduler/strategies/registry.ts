import { failover } from './failover.ts';
import { headroom } from './headroom.ts';
import { keepConversations, type MayStay } from './keep-conversations.ts';
import { leastBusy } from './least-busy.ts';
import { leastUsage } from './least-usage.ts';
import { createLowestLatency, isFastEnough } from './lowest-latency.ts';
import { isAsCheap, lowestPrice } from './lowest-price.ts';
import { createRoundRobin } from './round-robin.ts';
import type { Strategy } from './strategy.ts';
import { createWeighted } from './weighted.ts';

interface Entry {
  readonly create: (random: () => number) => Strategy;
  /** When a conversation may stay where it is; absent: always. */
  readonly mayStay?: MayStay;
}

const STRATEGIES: Readonly<Record<string, Entry>> = {
  headroom: { create: () => headroom },
  failover: { create: () => failover },
  'round-robin': { create: createRoundRobin },
  weighted: { create: createWeighted },
  'least-usage': { create: () => leastUsage },
  'least-busy': { create: () => leastBusy },
  'lowest-latency': { create: createLowestLatency, mayStay: isFastEnough },
  'lowest-price': { create: () => lowestPrice, mayStay: isAsCheap },
};

/** A strategy of its own for each model: some keep a turn. Null for a name that is unknown or not built yet. */
export function createStrategy(name: string, random: () => number): Strategy | null {
  const entry = STRATEGIES[name];
  return entry ? keepConversations(entry.create(random), entry.mayStay ?? (() => true)) : null;
}
