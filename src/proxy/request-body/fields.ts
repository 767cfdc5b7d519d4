import { ProxyError } from '../../errors.ts';

/** A JSON object of unknown members. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What a field must be, if it is given at all. */
export interface FieldType<T> {
  readonly expected: string;
  is(value: unknown): value is T;
}

/** OpenAI's own bound. */
const MAX_CHOICES = 128;

export const BOOLEAN: FieldType<boolean> = { expected: 'a boolean', is: (value) => typeof value === 'boolean' };
export const OBJECT: FieldType<JsonObject> = { expected: 'an object', is: isObject };
export const ARRAY: FieldType<readonly unknown[]> = { expected: 'an array', is: (value) => Array.isArray(value) };
/** A cap on the output, in LLM tokens. */
export const CAP: FieldType<number> = { expected: 'a positive integer', is: isPositiveInteger };
/** How many answers are asked for. */
export const CHOICES: FieldType<number> = {
  expected: `an integer from 1 to ${MAX_CHOICES}`,
  is: (value): value is number => isPositiveInteger(value) && value <= MAX_CHOICES,
};

/**
 * A field that may be absent or null.
 * @throws ProxyError `invalid_type`
 */
export function optional<T>(body: JsonObject, name: string, type: FieldType<T>): T | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (!type.is(value)) throw invalidType(name, type.expected, value);
  return value;
}

/**
 * The model that a body names; null: it names none.
 * @throws ProxyError `invalid_type`
 */
export function readModel(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' && value !== '') return value;
  throw invalidType('model', 'a non-empty string', value);
}

/** The user of the client that a body names, for what they may be told apart by. */
export function readUser(body: JsonObject): string | null {
  return typeof body['user'] === 'string' ? body['user'] : null;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function missingParameter(param: string): ProxyError {
  return new ProxyError('missing_required_parameter', `Missing required parameter: '${param}'.`, { param });
}

export function invalidType(param: string, expected: string, got: unknown): ProxyError {
  return new ProxyError('invalid_type', `Invalid '${param}': expected ${expected}, but got ${kindOf(got)}.`, { param });
}

function isPositiveInteger(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

/** What a wrong value is, without repeating text of the client. */
function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (value === '') return 'an empty string';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  if (typeof value === 'number') return `the number ${value}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
