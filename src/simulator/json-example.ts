import { asObject, isObject, type Json } from './chat-request.ts';

/** Schemas that refer to themselves end here. */
const MAX_DEPTH = 8;

/** More than a test needs; a schema that asks for more gets less rather than all memory. */
const MAX_ITEMS = 20;
const MAX_CHARS = 10_000;

/** The smallest value that obeys a JSON schema, as far as structured outputs use one. */
export function jsonExample(schema: Json): unknown {
  return exampleOf(schema, schema, 0);
}

function exampleOf(given: Json, root: Json, depth: number): unknown {
  const schema = resolved(given, root);
  if ('const' in schema) return schema['const'];
  const values = schema['enum'];
  if (Array.isArray(values) && values.length > 0) return values[0];
  const choice = firstOf(schema['anyOf']) ?? firstOf(schema['oneOf']);
  if (choice && depth < MAX_DEPTH) return exampleOf(choice, root, depth + 1);
  switch (typeOf(schema, depth)) {
    case 'object':
      return objectExample(schema, root, depth);
    case 'array': {
      const items = depth < MAX_DEPTH ? Math.min(MAX_ITEMS, Number(schema['minItems'] ?? 0)) : 0;
      return Array.from({ length: items }, () => exampleOf(asObject(schema['items']), root, depth + 1));
    }
    case 'number':
    case 'integer':
      return numberExample(schema);
    case 'boolean':
      return false;
    case 'null':
      return null;
    default:
      return 'a'.repeat(Math.min(MAX_CHARS, Number(schema['minLength'] ?? 1)));
  }
}

function objectExample(schema: Json, root: Json, depth: number): Record<string, unknown> {
  const properties = asObject(schema['properties']);
  const required = schema['required'];
  const names = Object.keys(properties).filter((name) => !Array.isArray(required) || required.includes(name));
  const entries = depth < MAX_DEPTH ? names : [];
  return Object.fromEntries(entries.map((name) => [name, exampleOf(asObject(properties[name]), root, depth + 1)]));
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
