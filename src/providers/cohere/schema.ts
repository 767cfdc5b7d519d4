import { isObject, listAt } from '../mapping/json.ts';
import type { JsonObject } from '../wire.ts';

/** Rules that the vendor does not know (docs.cohere.com/docs/structured-outputs). */
const UNKNOWN_RULES: ReadonlySet<string> = new Set([
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength'],
  ...['minItems', 'maxItems', 'uniqueItems', 'minProperties', 'maxProperties', 'not', 'if', 'then', 'else', 'allOf'],
]);
const MEANINGLESS: ReadonlySet<string> = new Set(['$schema', '$id', '$comment']);
const FORMATS: ReadonlySet<unknown> = new Set(['date-time', 'uuid', 'date', 'time']);
/** Anchors and looks ahead. */
const UNKNOWN_PATTERN = /[$^]|\(\?[=!]/;

const MAPS_OF_SCHEMAS: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions']);
/** Deeper ones are not schemas that an answer could be held to. */
const MAX_DEPTH = 64;

/**
 * A schema that answers can be held to: one of several is any of them, objects without a member that is required require
 * all, and what can't be enforced is said to the model in the description.
 */
export function answerSchema(schema: JsonObject): JsonObject {
  return cleaned(schema, 0);
}

function cleaned(source: JsonObject, depth: number): JsonObject {
  if (depth > MAX_DEPTH) return {};
  const { oneOf, ...schema } = unwrapped(source);
  const entries = Object.entries(oneOf === undefined ? schema : { ...schema, anyOf: oneOf });
  const kept = entries.filter(([name, value]) => !MEANINGLESS.has(name) && isEnforced(name, value));
  const said = entries.filter(([name, value]) => !MEANINGLESS.has(name) && !isEnforced(name, value));
  const members: JsonObject = Object.fromEntries(kept.map(([name, value]) => [name, inner(name, value, depth + 1)]));
  return { ...members, ...requiredOf(members), ...descriptionOf(members, said) };
}

/** Some tools write a reference with a word beside it as all of one schema. */
function unwrapped(schema: JsonObject): JsonObject {
  const [only, ...others] = listAt(schema, 'allOf');
  if (!isObject(only) || others.length > 0) return schema;
  const { allOf: _allOf, ...rest } = schema;
  return { ...only, ...rest };
}

function isEnforced(name: string, value: unknown): boolean {
  if (name === 'format') return FORMATS.has(value);
  if (name === 'pattern') return typeof value === 'string' && !UNKNOWN_PATTERN.test(value);
  return !UNKNOWN_RULES.has(name);
}

function inner(name: string, value: unknown, depth: number): unknown {
  if (name === 'anyOf' && Array.isArray(value)) return value.map((each) => one(each, depth));
  if (name === 'items' || name === 'additionalProperties') return one(value, depth);
  if (!MAPS_OF_SCHEMAS.has(name) || !isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, one(each, depth)]));
}

function one(schema: unknown, depth: number): unknown {
  return isObject(schema) ? cleaned(schema, depth) : schema;
}

function requiredOf({ properties, required }: JsonObject): JsonObject {
  if (!isObject(properties) || (Array.isArray(required) && required.length > 0)) return {};
  const names = Object.keys(properties);
  return names.length === 0 ? {} : { required: names };
}

function descriptionOf({ description }: JsonObject, said: readonly (readonly [string, unknown])[]): JsonObject {
  if (said.length === 0) return {};
  const rules = `{${said.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(', ')}}`;
  return { description: typeof description === 'string' && description !== '' ? `${description}\n\n${rules}` : rules };
}
