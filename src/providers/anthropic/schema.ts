import { isObject, listAt, objectAt } from '../mapping/json.ts';
import type { JsonObject } from '../wire.ts';

/** What the API's grammar understands of JSON Schema (platform.claude.com/docs/en/build-with-claude/structured-outputs). */
const KEPT: ReadonlySet<string> = new Set([
  'type',
  'title',
  'description',
  'enum',
  'const',
  'default',
  '$ref',
  'required',
]);
const SCHEMAS_BY_NAME: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions']);
const LISTS_OF_SCHEMAS: ReadonlySet<string> = new Set(['anyOf', 'oneOf', 'allOf']);
/** One of several is not told from any of them. */
const PLAIN: ReadonlyMap<string, string> = new Map([['oneOf', 'anyOf']]);
const MEANINGLESS: ReadonlySet<string> = new Set(['$schema', '$id', '$comment', 'additionalProperties']);

const FORMATS: ReadonlySet<unknown> = new Set([
  ...['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid'],
]);

/** Deeper ones are not schemas that a grammar could be made of. */
const MAX_DEPTH = 64;

/**
 * A schema that the API takes as a grammar: objects are closed, `oneOf` is `anyOf`, and what it can't enforce, such as
 * bounds and patterns, is said to the model in the description instead.
 */
export function grammarOf(schema: JsonObject): JsonObject {
  return cleaned(schema, 0);
}

/**
 * A schema for the input of a tool, which has to be an object's, without alternatives at its top: they are laid on top of
 * one another, and a member is required if it is in all of them.
 */
export function inputSchemaOf(schema: JsonObject): JsonObject {
  const { anyOf, oneOf, allOf, ...rest } = schema;
  const either = [anyOf, oneOf].flatMap((list) => (Array.isArray(list) ? list.filter(isObject) : []));
  const all = Array.isArray(allOf) ? allOf.filter(isObject) : [];
  if (either.length + all.length === 0) return { ...rest, type: 'object' };
  const properties = [...all, ...either, rest].map((each) => objectAt(each, 'properties') ?? {});
  const inEither = either.map((each) => listAt(each, 'required'));
  const shared = (inEither[0] ?? []).filter((name) => inEither.every((names) => names.includes(name)));
  const required = new Set([...[...all, rest].flatMap((each) => listAt(each, 'required')), ...shared]);
  const members = Object.fromEntries(properties.flatMap((each) => Object.entries(each)));
  return { ...rest, type: 'object', properties: members, ...(required.size > 0 ? { required: [...required] } : {}) };
}

function cleaned(schema: JsonObject, depth: number): JsonObject {
  if (depth > MAX_DEPTH) return {};
  const kept: Record<string, unknown> = {};
  const said: string[] = [];
  for (const [name, value] of Object.entries(schema)) {
    if (isUnderstood(name, value)) kept[name] = value;
    else if (holdsSchemas(name)) kept[PLAIN.get(name) ?? name] = inner(name, value, { kept, depth });
    else if (!MEANINGLESS.has(name)) said.push(`${name}: ${JSON.stringify(value)}`);
  }
  const isClosed = kept['type'] === 'object' || kept['properties'] !== undefined;
  return {
    ...kept,
    ...(isClosed ? { additionalProperties: false } : {}),
    ...(said.length > 0 ? { description: described(kept['description'], said) } : {}),
  };
}

function holdsSchemas(name: string): boolean {
  return name === 'items' || SCHEMAS_BY_NAME.has(name) || LISTS_OF_SCHEMAS.has(name);
}

interface Around {
  readonly kept: JsonObject;
  readonly depth: number;
}

function inner(name: string, value: unknown, { kept, depth }: Around): unknown {
  if (name === 'items') return one(value, depth);
  if (SCHEMAS_BY_NAME.has(name)) return eachByName(value, depth);
  const before = kept[PLAIN.get(name) ?? name];
  return [...(Array.isArray(before) ? before : []), ...eachInList(value, depth)];
}

function isUnderstood(name: string, value: unknown): boolean {
  if (name === 'format') return FORMATS.has(value);
  if (name === 'minItems') return value === 0 || value === 1;
  return KEPT.has(name);
}

function described(description: unknown, said: readonly string[]): string {
  const rules = `{${said.join(', ')}}`;
  return typeof description === 'string' && description !== '' ? `${description}\n\n${rules}` : rules;
}

function eachByName(value: unknown, depth: number): JsonObject {
  if (!isObject(value)) return {};
  const schemas = Object.entries(value).map(([name, schema]) => [name, one(schema, depth)] as const);
  return Object.fromEntries(schemas);
}

function eachInList(value: unknown, depth: number): readonly JsonObject[] {
  return Array.isArray(value) ? value.map((schema) => one(schema, depth)) : [];
}

/** `true` stands for a schema without any rule. */
function one(schema: unknown, depth: number): JsonObject {
  return isObject(schema) ? cleaned(schema, depth + 1) : {};
}
