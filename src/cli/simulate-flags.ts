import { InvalidArgumentError } from 'commander';
import { parseAmount, parseDurationMs, parseShare } from '../config/units.ts';
import type { Distribution } from '../simulator/distribution.ts';
import { FAULT_KINDS, type FaultRule } from '../simulator/faults.ts';
import type { Algorithm, Charge, LimitName, LimitsOptions } from '../simulator/limits/limit-spec.ts';
import type { HeaderStyle, SimulatorOptions, VendorName } from '../simulator/options.ts';

/** What the command line says of the vendor to simulate, each value read already. */
export interface SimulateFlags extends Partial<Record<LimitName, number>> {
  readonly vendor?: VendorName;
  readonly key?: readonly string[];
  readonly oneOrganization?: boolean;
  readonly model?: readonly string[];
  readonly algorithm?: Algorithm;
  readonly capacity?: number;
  readonly slice?: number;
  readonly charge?: Charge;
  readonly contextLength?: number;
  readonly firstByte?: Distribution;
  readonly tokensPerSecond?: number;
  readonly outputTokens?: Distribution;
  readonly arrivalDelay?: Distribution;
  readonly clockOffset?: number;
  readonly usageFactor?: number;
  readonly headers?: HeaderStyle;
  readonly retryAfter?: boolean;
  readonly fault?: readonly FaultRule[];
}

const DEFAULT_KEY = 'sk-sim-1';
const TAIL_SIGMA = 1;

/** Flags name limits once: every organisation gets the same. */
export function optionsFromFlags(flags: SimulateFlags): SimulatorOptions {
  const keys = flags.key ?? [DEFAULT_KEY];
  const limits = limitsFrom(flags);
  const organizations = flags.oneOrganization ? [{ keys, limits }] : keys.map((key) => ({ keys: [key], limits }));
  return {
    vendor: flags.vendor,
    organizations,
    models: flags.model,
    contextLength: flags.contextLength,
    answer: {
      firstByteMs: flags.firstByte,
      tokensPerSecond: flags.tokensPerSecond,
      outputTokens: flags.outputTokens,
    },
    faults: flags.fault,
    headers: flags.headers,
    retryAfter: flags.retryAfter,
    clockOffsetMs: flags.clockOffset,
    arrivalDelayMs: flags.arrivalDelay,
    usageFactor: flags.usageFactor,
  };
}

function limitsFrom(flags: SimulateFlags): LimitsOptions {
  const shape = { algorithm: flags.algorithm, sliceMs: flags.slice, charge: flags.charge };
  const limit = (amount: number | undefined) => (amount === undefined ? undefined : { limit: amount, ...shape });
  // A day's bucket is not narrowed by what is meant for the minute's.
  const minute = (amount: number | undefined) =>
    amount === undefined ? undefined : { ...shape, limit: amount, capacity: share(flags.capacity, amount) };
  return {
    rps: limit(flags.rps),
    rpm: minute(flags.rpm),
    rpd: limit(flags.rpd),
    tpm: minute(flags.tpm),
    tpd: limit(flags.tpd),
    itpm: minute(flags.itpm),
    otpm: minute(flags.otpm),
    concurrency: flags.concurrency,
  };
}

function share(part: number | undefined, amount: number): number | undefined {
  return part === undefined ? undefined : Math.max(1, amount * part);
}

/** `60`, `100k`, `2M`. */
export function readAmount(text: string): number {
  return parseAmount(text) ?? wrong('It must be a whole number above 0, such as 60, 100k or 2M.');
}

/** `20%`, `0.2`. */
export function readShare(text: string): number {
  return parseShare(text) ?? wrong('It must be a share, such as 20% or 0.2.');
}

export function readFactor(text: string): number {
  const factor = Number(text);
  return factor > 0 && Number.isFinite(factor) ? factor : wrong('It must be a number above 0, such as 1.4.');
}

/** `250ms`, `1s`. */
export function readDuration(text: string): number {
  return parseDurationMs(text) ?? wrong('It must be a duration, such as 250ms or 2s.');
}

/** A duration that may be below 0: `-2s`. */
export function readOffset(text: string): number {
  return text.startsWith('-') ? -readDuration(text.slice(1)) : readDuration(text);
}

/** `200ms`, `50ms-400ms`, or `~200ms` for a long tail with that median. */
export function readDurations(text: string): Distribution {
  return readDistribution(text, readDuration);
}

/** `200`, `50-400`, or `~200` for a long tail with that median. */
export function readAmounts(text: string): Distribution {
  return readDistribution(text, readAmount);
}

/** `500`, `500:10%`: a fault, and the share of requests that meet it. Repeating the flag adds rules. */
export function readFault(text: string, before: readonly FaultRule[] = []): FaultRule[] {
  const [name, rate] = text.split(':', 2);
  const kind = FAULT_KINDS.find((each) => each === name);
  if (!kind) return wrong(`There are: ${FAULT_KINDS.join(', ')}.`);
  return [...before, rate === undefined ? { kind } : { kind, rate: readShare(rate) }];
}

/** For flags that may be repeated. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

function readDistribution(text: string, read: (part: string) => number): Distribution {
  if (text.startsWith('~')) return { kind: 'lognormal', median: read(text.slice(1)), sigma: TAIL_SIGMA };
  const [min = '', max] = text.split('-', 2);
  return max === undefined ? read(min) : { kind: 'uniform', min: read(min), max: read(max) };
}

function wrong(message: string): never {
  throw new InvalidArgumentError(message);
}
