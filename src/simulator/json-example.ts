import { asObject, isObject, type Json } from './json.ts';

/** Schemas that refer to themselves end here. */
const MAX_DEPTH = 8;

/** More than a test needs; a schema that asks for more gets less rather than all memory. */
const MAX_ITEMS = 20;
const MAX_CHARS = 10_000;
/** Of one example in all: lists of lists, and schemas that refer to themselves several times, grow by powers. */
const MAX_SIZE = 50_000;

interface Walk {
  readonly root: Json;
  /** Values and characters that may still come; beyond it everything is null. */
  sizeLeft: number;
}

/** The smallest value that obeys a JSON schema, as far as structured outputs use one. */
export function jsonExample(schema: Json): unknown {
  return exampleOf(schema, { root: schema, sizeLeft: MAX_SIZE }, 0);
}

function exampleOf(given: Json, walk: Walk, depth: number): unknown {
  if (walk.sizeLeft <= 0) return null;
  walk.sizeLeft -= 1;
  const schema = resolved(given, walk.root);
  if ('const' in schema) return schema['const'];
  const values = schema['enum'];
  if (Array.isArray(values) && values.length > 0) return values[0];
  const choice = firstOf(schema['anyOf']) ?? firstOf(schema['oneOf']);
  if (choice && depth < MAX_DEPTH) return exampleOf(choice, walk, depth + 1);
  switch (typeOf(schema, depth)) {
    case 'object':
      return objectExample(schema, walk, depth);
    case 'array': {
      const items = depth < MAX_DEPTH ? sizeOf(schema['minItems'], 0, MAX_ITEMS) : 0;
      return Array.from({ length: items }, () => exampleOf(asObject(schema['items']), walk, depth + 1));
    }
    case 'number':
    case 'integer':
      return numberExample(schema);
    case 'boolean':
      return false;
    case 'null':
      return null;
    default:
      return textExample(schema, walk);
  }
}

function textExample(schema: Json, walk: Walk): string {
  const length = sizeOf(schema['minLength'], 1, MAX_CHARS);
  walk.sizeLeft -= length;
  return 'a'.repeat(length);
}

function objectExample(schema: Json, walk: Walk, depth: number): Record<string, unknown> {
  const properties = asObject(schema['properties']);
  const required = schema['required'];
  const names = Object.keys(properties).filter((name) => !Array.isArray(required) || required.includes(name));
  const entries = depth < MAX_DEPTH ? names : [];
  return Object.fromEntries(entries.map((name) => [name, exampleOf(asObject(properties[name]), walk, depth + 1)]));
}

function sizeOf(asked: unknown, usual: number, most: number): number {
  return typeof asked === 'number' ? Math.min(most, Math.max(0, asked)) : usual;
}

function numberExample(schema: Json): number {
  const { minimum, exclusiveMinimum, maximum } = schema;
  if (typeof minimum === 'number') return Math.ceil(minimum);
  if (typeof exclusiveMinimum === 'number') return Math.floor(exclusiveMinimum) + 1;
  return typeof maximum === 'number' ? Math.min(0, Math.floor(maximum)) : 0;
}

function typeOf(schema: Json, depth: number): unknown {
  const { type } = schema;
  if (Array.isArray(type)) return depth >= MAX_DEPTH && type.includes('null') ? 'null' : type[0];
  return type ?? ('properties' in schema ? 'object' : 'string');
}

function firstOf(choices: unknown): Json | null {
  return Array.isArray(choices) && isObject(choices[0]) ? choices[0] : null;
}

/** Follows `#/$defs/name` and the like. */
function resolved(schema: Json, root: Json): Json {
  const reference = schema['$ref'];
  if (typeof reference !== 'string' || !reference.startsWith('#')) return schema;
  const target = reference
    .split('/')
    .slice(1)
    .reduce((value, name) => asObject(value[name]), root);
  return '$ref' in target ? {} : target;
}
