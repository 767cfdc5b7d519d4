import { type Anchor, FixedWindow } from './fixed-window.ts';
import type { Meter } from './meter.ts';
import { Slices } from './slices.ts';
import { SlidingCounter } from './sliding-counter.ts';
import { SlidingLog } from './sliding-log.ts';
import { Slots } from './slots.ts';
import { TokenBucket } from './token-bucket.ts';

export const ALGORITHMS = ['token-bucket', 'sliding-log', 'fixed-window', 'sliding-counter', 'slices'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** `input` is what the prompt costs, `output` what the answer costs, `total` both, `in-flight` requests under way. */
export type LimitUnit = 'requests' | 'total' | 'input' | 'output' | 'in-flight';

/**
 * What a limit of tokens charges. `refund`: reserved on arrival, set to the usage at the end. `keep`: reserved on arrival
 * and left there (Azure). `at-end`: nothing on arrival but a look whether anything is left, the usage at the end (Mistral).
 * `as-generated`: the same look, and then what is streamed as it is streamed (Anthropic's output).
 */
export const CHARGES = ['refund', 'keep', 'at-end', 'as-generated'] as const;
export type Charge = (typeof CHARGES)[number];

/** What is reserved of `total`: the prompt and the output cap (cookbook, Groq, Azure), or the larger (OpenAI's guide). */
export const RESERVES = ['prompt-plus-cap', 'larger', 'prompt'] as const;
type Reserve = (typeof RESERVES)[number];

/**
 * Whether input that the vendor remembers counts. `free`: it never does (Anthropic). `refunded`: it is reserved, and comes
 * back at the end (Groq).
 */
export const CACHED_INPUT = ['counts', 'free', 'refunded'] as const;
type CachedInput = (typeof CACHED_INPUT)[number];

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

interface LimitFacts {
  readonly unit: LimitUnit;
  readonly windowMs: number;
  /** As the vendor's messages call it. */
  readonly text: string;
}

export const LIMIT_NAMES = ['rps', 'rpm', 'rpd', 'tpm', 'tpd', 'itpm', 'otpm', 'concurrency'] as const;
export type LimitName = (typeof LIMIT_NAMES)[number];

export const LIMIT_FACTS: Readonly<Record<LimitName, LimitFacts>> = {
  rps: { unit: 'requests', windowMs: 1000, text: 'requests per second (RPS)' },
  rpm: { unit: 'requests', windowMs: MINUTE_MS, text: 'requests per min (RPM)' },
  rpd: { unit: 'requests', windowMs: DAY_MS, text: 'requests per day (RPD)' },
  tpm: { unit: 'total', windowMs: MINUTE_MS, text: 'tokens per min (TPM)' },
  tpd: { unit: 'total', windowMs: DAY_MS, text: 'tokens per day (TPD)' },
  itpm: { unit: 'input', windowMs: MINUTE_MS, text: 'input tokens per min (ITPM)' },
  otpm: { unit: 'output', windowMs: MINUTE_MS, text: 'output tokens per min (OTPM)' },
  concurrency: { unit: 'in-flight', windowMs: MINUTE_MS, text: 'concurrent requests' },
};

/** One limit. Whatever is absent is a vendor's usual choice. */
export interface LimitOptions {
  /** Amount per window; for `concurrency`, slots. */
  readonly limit: number;
  /** Default `token-bucket`. Ignored by `concurrency`. */
  readonly algorithm?: Algorithm | undefined;
  /** Token bucket: what a full bucket holds. Default: `limit`. */
  readonly capacity?: number | undefined;
  /** Token bucket: what it holds at the start. Default: `capacity`. */
  readonly initial?: number | undefined;
  /** Fixed window: where windows begin. Default 0, that is at :00. */
  readonly anchor?: Anchor | undefined;
  /** Length of a slice. With another algorithm than `slices`, the limit is enforced both ways. Default 1,000. */
  readonly sliceMs?: number | undefined;
  /** Default `refund`; for `otpm`, `at-end`. */
  readonly charge?: Charge | undefined;
  /** Default `prompt-plus-cap`. */
  readonly reserve?: Reserve | undefined;
  /** What is reserved for the output of a request that states no cap. Default 0. */
  readonly assumedOutput?: number | undefined;
  /** Default `counts`. */
  readonly cachedInput?: CachedInput | undefined;
  /** `concurrency`: how long after its end a request still holds its slot. Default 0. */
  readonly freedAfterMs?: number | undefined;
}

export type LimitsOptions = { readonly [name in LimitName]?: number | LimitOptions | undefined };

/** A limit with every choice made. */
export interface LimitSpec {
  readonly name: LimitName;
  readonly unit: LimitUnit;
  readonly windowMs: number;
  readonly limit: number;
  /** The algorithm in force: `slots` for requests at the same time. */
  readonly algorithm: Algorithm | 'slots';
  readonly charge: Charge;
  readonly reserve: Reserve;
  readonly assumedOutput: number;
  readonly cachedInput: CachedInput;
  createMeter(): Meter;
}

/** The specs of all limits given; a limit that is sliced beside its own algorithm makes two. */
export function limitSpecs(limits: LimitsOptions): LimitSpec[] {
  return LIMIT_NAMES.flatMap((name) => {
    const given = limits[name];
    if (given === undefined) return [];
    const options = typeof given === 'number' ? { limit: given } : given;
    const spec = limitSpec(name, options);
    const isAlsoSliced = options.sliceMs !== undefined && spec.algorithm !== 'slices' && spec.algorithm !== 'slots';
    return isAlsoSliced ? [spec, limitSpec(name, { ...options, algorithm: 'slices' })] : [spec];
  });
}

function limitSpec(name: LimitName, options: LimitOptions): LimitSpec {
  const { unit, windowMs } = LIMIT_FACTS[name];
  return {
    name,
    unit,
    windowMs,
    limit: options.limit,
    algorithm: unit === 'in-flight' ? 'slots' : (options.algorithm ?? 'token-bucket'),
    charge: options.charge ?? (unit === 'output' ? 'at-end' : 'refund'),
    reserve: options.reserve ?? 'prompt-plus-cap',
    assumedOutput: options.assumedOutput ?? 0,
    cachedInput: options.cachedInput ?? 'counts',
    createMeter: () => createMeter(name, options),
  };
}

function createMeter(name: LimitName, options: LimitOptions): Meter {
  const { unit, windowMs } = LIMIT_FACTS[name];
  const { limit } = options;
  if (unit === 'in-flight') return new Slots(limit, options.freedAfterMs ?? 0);
  switch (options.algorithm ?? 'token-bucket') {
    case 'token-bucket': {
      const capacity = options.capacity ?? limit;
      return new TokenBucket({ limit, windowMs, capacity, initial: options.initial ?? capacity });
    }
    case 'sliding-log':
      return new SlidingLog(limit, windowMs);
    case 'fixed-window':
      return new FixedWindow({ limit, windowMs, anchor: options.anchor ?? 0 });
    case 'sliding-counter':
      return new SlidingCounter(limit, windowMs);
    case 'slices':
      return new Slices({ limit, windowMs, sliceMs: options.sliceMs ?? 1000 });
  }
}
