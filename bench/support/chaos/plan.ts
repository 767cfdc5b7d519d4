import type { FaultKind } from '../../../src/simulator/faults.ts';
import { type Random, seeded } from '../../../test/tokens/texts.ts';
import type { VendorSpec } from './vendor-specs.ts';

/** What happens to the world, and when: milliseconds since the load began. */
export type ChaosEvent =
  | {
      readonly kind: 'fault';
      readonly atMs: number;
      readonly untilMs: number;
      readonly vendor: string;
      /** By their names. */
      readonly keys: readonly string[];
      readonly fault: FaultKind;
      /** Share of the requests. */
      readonly rate: number;
      /** `slow_head`: how late it is. `lying_retry_after`: what it advises. */
      readonly ms: number;
    }
  /** The vendor's port is closed in between. */
  | { readonly kind: 'restart'; readonly atMs: number; readonly untilMs: number; readonly vendor: string }
  /** Sluice's wall clock is that far off from now on. */
  | { readonly kind: 'jump'; readonly atMs: number; readonly offsetMs: number }
  /** The configuration file is written anew. `broken`: as nobody can read it, so that nothing may change. */
  | { readonly kind: 'reload'; readonly atMs: number; readonly version: number | 'broken' };

/** Faults that pass with the cause. */
const PASSING: readonly FaultKind[] = [
  'refuse',
  'garbage',
  'html_502',
  '500',
  '503',
  'slow_down',
  'bare_429',
  'lying_retry_after',
  'reset_before_body',
  'reset_within_body',
  'role_then_reset',
  'hang',
  'slow_head',
  'stall',
  'error_in_200',
  'stream_error_first_event',
  'stream_error_late',
  'json_instead_of_stream',
  'cut_json',
];
/** Faults after which a key is not used again until somebody acts. */
const LASTING: readonly FaultKind[] = ['401', 'quota_429', 'spend_429'];

const MEAN_REST_MS = 12_000;
const MEAN_FAULT_MS = 4_000;
const MOST_FAULT_MS = 15_000;
/** Load and books settle before the first fault. */
const FIRST_MS = 5_000;
const MEAN_JUMP_MS = 20_000;
const MEAN_RELOAD_MS = 12_000;
const BROKEN_SHARE = 0.2;
const JUMPS_MS = [0, 2_000, -2_000, 90_000, -90_000, 3_600_000, -3_600_000, 0];
const RESTART_SHARE = 0.1;
const MOST_LIE_MS = 4_000;

/** The same seed makes the same plan. */
export function planOf(seed: number, forMs: number, specs: readonly VendorSpec[]): ChaosEvent[] {
  const events = specs.flatMap((spec, index) => {
    const random = seeded(seed * 1_000 + index);
    return [...passing(spec, forMs, random), ...lasting(spec, forMs, random)];
  });
  const others = [...jumps(forMs, seeded(seed * 1_000 + 999)), ...reloads(forMs, seeded(seed * 1_000 + 998))];
  return [...events, ...others].sort((a, b) => a.atMs - b.atMs);
}

/** One after the other: a vendor has one thing at a time, and vendors have theirs at the same time by chance. */
function passing({ name, keys, vendor }: VendorSpec, forMs: number, random: Random): ChaosEvent[] {
  // Gemini's lie names a limit of ten requests, and a limit that a vendor names holds.
  const faults = vendor === 'gemini' ? PASSING.filter((fault) => fault !== 'lying_retry_after') : PASSING;
  const events: ChaosEvent[] = [];
  let atMs = FIRST_MS + exponential(MEAN_REST_MS, random);
  for (;;) {
    const untilMs = atMs + Math.min(MOST_FAULT_MS, 300 + exponential(MEAN_FAULT_MS, random));
    if (untilMs > forMs) return events;
    if (random() < RESTART_SHARE) events.push({ kind: 'restart', atMs, untilMs, vendor: name });
    else {
      events.push({
        ...{ kind: 'fault', atMs, untilMs, vendor: name },
        keys: someOf(keys, random),
        fault: pick(faults, random),
        rate: random() < 0.5 ? 1 : 0.2 + 0.7 * random(),
        ms: 20 + Math.round(MOST_LIE_MS * random()),
      });
    }
    atMs = untilMs + 1_000 + exponential(MEAN_REST_MS, random);
  }
}

/** At most one key of a vendor with several, in the second half. */
function lasting({ name, keys }: VendorSpec, forMs: number, random: Random): ChaosEvent[] {
  if (keys.length < 2 || random() < 0.5) return [];
  const atMs = forMs * (0.5 + 0.4 * random());
  const fault = pick(LASTING, random);
  const { name: key } = pick(keys, random);
  return [{ kind: 'fault', atMs, untilMs: atMs + 3_000, vendor: name, keys: [key], fault, rate: 1, ms: 0 }];
}

function jumps(forMs: number, random: Random): ChaosEvent[] {
  const events: ChaosEvent[] = [];
  for (let atMs = exponential(MEAN_JUMP_MS, random); atMs < forMs; atMs += 1_000 + exponential(MEAN_JUMP_MS, random)) {
    events.push({ kind: 'jump', atMs, offsetMs: pick(JUMPS_MS, random) });
  }
  return events;
}

function reloads(forMs: number, random: Random): ChaosEvent[] {
  const events: ChaosEvent[] = [];
  for (
    let atMs = exponential(MEAN_RELOAD_MS, random);
    atMs < forMs;
    atMs += 1_000 + exponential(MEAN_RELOAD_MS, random)
  ) {
    events.push({ kind: 'reload', atMs, version: random() < BROKEN_SHARE ? 'broken' : events.length + 1 });
  }
  return events;
}

export function isLasting(fault: FaultKind): boolean {
  return LASTING.includes(fault);
}

/** One key, all, or any of them. */
function someOf(keys: VendorSpec['keys'], random: Random): string[] {
  const names = keys.map(({ name }) => name);
  const scope = random();
  if (scope < 0.5) return [pick(names, random)];
  if (scope < 0.75) return names;
  const some = names.filter(() => random() < 0.5);
  return some.length > 0 ? some : names;
}

export function exponential(mean: number, random: Random): number {
  return -Math.log(1 - random()) * mean;
}

export function pick<Item>(items: readonly Item[], random: Random): Item {
  return items[Math.floor(items.length * random())] as Item;
}
