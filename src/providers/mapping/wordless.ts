import type { JsonObject } from '../wire.ts';

/**
 * The fields of `rest` that ask for something a vendor has no word for, for `dropped`. `spoken` are those that it has. What
 * asks for nothing goes unmentioned: a switch that is off, the usual tier, an answer in text.
 */
export function wordless(rest: JsonObject, spoken: ReadonlySet<string>): string[] {
  return Object.entries(rest).flatMap(([name, value]) => (spoken.has(name) || isUsual(name, value) ? [] : [name]));
}

/** The fields of `rest` that a vendor takes as they are. */
export function spokenFields(rest: JsonObject, spoken: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(rest).filter(([name]) => spoken.has(name)));
}

function isUsual(name: string, value: unknown): boolean {
  if (name === 'modalities') return JSON.stringify(value) === '["text"]';
  return value === false || (name === 'service_tier' && value === 'auto');
}
