import { z } from 'zod';
import { parseAmount } from '../config/units.ts';
import { FAULT_KINDS } from '../simulator/faults.ts';
import { ANCHORS } from '../simulator/limits/fixed-window.ts';
import { ALGORITHMS, CACHED_INPUT, CHARGES, RESERVES } from '../simulator/limits/limit-spec.ts';
import { HEADER_STYLES, type SimulatorOptions, VENDORS } from '../simulator/options.ts';
import { CliError } from './config-file.ts';

const positive = z.number().positive();
const notNegative = z.number().nonnegative();

/** `100k` reads as it does in the configuration of the proxy. */
const amount = z.unknown().transform((value, context) => {
  const read = typeof value === 'string' ? parseAmount(value) : value;
  if (typeof read === 'number' && read > 0) return read;
  context.addIssue('it must be a number above 0, such as 60, "100k" or "2M"');
  return z.NEVER;
});

const distribution = z.union(
  [
    notNegative,
    z.strictObject({ kind: z.literal('uniform'), min: notNegative, max: notNegative }),
    z.strictObject({ kind: z.literal('lognormal'), median: positive, sigma: positive, max: positive.optional() }),
  ],
  'it must be a number, {"kind":"uniform","min":1,"max":9} or {"kind":"lognormal","median":5,"sigma":1}',
);

/** A bare amount is a limit with every choice left to the vendor. */
const limit = z.preprocess(
  (value) => (typeof value === 'object' ? value : { limit: value }),
  z.strictObject({
    limit: amount,
    algorithm: z.enum(ALGORITHMS).optional(),
    capacity: amount.optional(),
    initial: notNegative.optional(),
    anchor: z.union([z.number(), z.enum(ANCHORS)]).optional(),
    sliceMs: positive.optional(),
    charge: z.enum(CHARGES).optional(),
    reserve: z.enum(RESERVES).optional(),
    assumedOutput: notNegative.optional(),
    cachedInput: z.enum(CACHED_INPUT).optional(),
    freedAfterMs: notNegative.optional(),
  }),
);

const limits = z
  .strictObject({
    rps: limit,
    rpm: limit,
    rpd: limit,
    tpm: limit,
    tpd: limit,
    itpm: limit,
    otpm: limit,
    concurrency: limit,
  })
  .partial();

const key = z.preprocess(
  (value) => (typeof value === 'object' ? value : { key: value }),
  z.strictObject({ key: z.string().min(1), name: z.string().min(1).optional(), limits: limits.optional() }),
);

const fault = z.strictObject({
  kind: z.enum(FAULT_KINDS),
  keys: z.array(z.string()).optional(),
  models: z.array(z.string()).optional(),
  rate: z.number().min(0).max(1).optional(),
  nth: z.array(z.int().positive()).optional(),
  fromMs: notNegative.optional(),
  untilMs: notNegative.optional(),
  delayMs: notNegative.optional(),
  afterTokens: z.int().nonnegative().optional(),
  retryAfterMs: notNegative.optional(),
});

const file: z.ZodType<SimulatorOptions> = z.strictObject({
  vendor: z.enum(VENDORS).optional(),
  organizations: z
    .array(
      z.strictObject({
        name: z.string().min(1).optional(),
        keys: z.array(key).min(1),
        limits: limits.optional(),
        models: z.record(z.string(), limits).optional(),
        sharedLimits: limits.optional(),
      }),
    )
    .min(1),
  models: z.array(z.string().min(1)).min(1).optional(),
  contextLength: amount.optional(),
  answer: z
    .strictObject({ firstByteMs: distribution, tokensPerSecond: notNegative, outputTokens: distribution })
    .partial()
    .optional(),
  faults: z.array(fault).optional(),
  headers: z.enum(HEADER_STYLES).optional(),
  retryAfter: z.boolean().optional(),
  clockOffsetMs: z.number().optional(),
  arrivalDelayMs: distribution.optional(),
  usageFactor: positive.optional(),
  chargeRefused: z.boolean().optional(),
  maxLogged: z.int().positive().optional(),
});

/** Reads what a JSON file says of the vendor to simulate. Throws CliError that names every mistake with its place. */
export function readSimulation(text: string, name: string): SimulatorOptions {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new CliError(`${name} is not JSON: check commas, quotes and brackets`);
  }
  const read = file.safeParse(json);
  if (read.success) return read.data;
  const mistakes = read.error.issues.map((issue) => `\n  ${placeOf(issue.path)}: ${issue.message}`);
  throw new CliError(`${name} does not describe a simulation:${mistakes.join('')}`);
}

function placeOf(path: readonly PropertyKey[]): string {
  const place = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return place.replace(/^\./, '') || 'the file';
}
