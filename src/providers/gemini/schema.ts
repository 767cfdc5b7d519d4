import { isObject } from '../mapping/json.ts';
import type { JsonObject } from '../wire.ts';

/** Deeper is cut: the vendor refuses such schemas anyway, and a definition may refer to itself. */
const MAX_DEPTH = 24;

/** Of JSON Schema, what this vendor understands (ai.google.dev/api/generate-content); everything else it refuses or ignores. */
const JSON_SCHEMA_WORDS: ReadonlySet<string> = new Set([
  ...['$id', '$defs', '$ref', '$anchor', 'type', 'format', 'title', 'description', 'enum', 'items', 'prefixItems'],
  ...['minItems', 'maxItems', 'minimum', 'maximum', 'anyOf', 'oneOf', 'properties', 'additionalProperties'],
  ...['required', 'propertyOrdering'],
]);

/** Of OpenAPI's schemas, what older models understand. */
const OPEN_API_WORDS: ReadonlySet<string> = new Set([
  ...['format', 'title', 'description', 'minItems', 'maxItems', 'minimum', 'maximum', 'minLength', 'maxLength'],
  ...['minProperties', 'maxProperties', 'pattern', 'required', 'propertyOrdering'],
]);

/** Members that hold a schema each, or a list or a map of them. */
const SCHEMA_LISTS: ReadonlySet<string> = new Set(['anyOf', 'oneOf', 'prefixItems']);
const SCHEMA_MAPS: ReadonlySet<string> = new Set(['properties', '$defs']);

/** A JSON Schema without the words that are not understood there. */
export function jsonSchema(schema: unknown, depth = 0): unknown {
  if (typeof schema === 'boolean') return schema;
  if (!isObject(schema) || depth > MAX_DEPTH) return {};
  const members = { ...renamed(schema) };
  // Beside a reference only what begins with a dollar sign may stand.
  const isReference = typeof members['$ref'] === 'string';
  const isKept = (name: string): boolean => JSON_SCHEMA_WORDS.has(name) && (!isReference || name.startsWith('$'));
  const kept = Object.entries(members).filter(([name]) => isKept(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, member(name, value, depth + 1)]));
}

function member(name: string, value: unknown, depth: number): unknown {
  if (SCHEMA_LISTS.has(name) && Array.isArray(value)) return value.map((each) => jsonSchema(each, depth));
  if (SCHEMA_MAPS.has(name) && isObject(value)) return mapValues(value, (each) => jsonSchema(each, depth));
  if (name === 'items' || name === 'additionalProperties') return jsonSchema(value, depth);
  return value;
}

/** Older and newer spellings of what has a name here. */
function renamed(schema: JsonObject): JsonObject {
  const { definitions, const: constant, $ref, ...rest } = schema;
  return {
    ...rest,
    ...(isObject(definitions) ? { $defs: { ...definitions, ...(isObject(rest['$defs']) ? rest['$defs'] : {}) } } : {}),
    ...(constant === undefined ? {} : { enum: [constant] }),
    ...(typeof $ref === 'string' ? { $ref: $ref.replace('#/definitions/', '#/$defs/') } : {}),
  };
}

interface Place {
  /** By what references call them: `#/$defs/city`. */
  readonly definitions: ReadonlyMap<string, unknown>;
  readonly depth: number;
  /** What is written out already, in all places together: definitions that refer to one another grow without measure. */
  readonly written: { count: number };
}

/** A schema that is larger is refused there anyway. */
const MAX_WRITTEN = 2_000;

/**
 * A JSON Schema in the subset of OpenAPI 3.0: references are written out, a type that may be null is `nullable`, what may be
 * anything is an object.
 */
export function openApiSchema(schema: JsonObject): JsonObject {
  return openApi(schema, { definitions: definitionsOf(schema), depth: 0, written: { count: 0 } });
}

function definitionsOf(schema: JsonObject): ReadonlyMap<string, unknown> {
  const places = ['$defs', 'definitions'].map((place) => [place, schema[place]] as const);
  return new Map(
    places.flatMap(([place, found]) =>
      isObject(found) ? Object.entries(found).map(([name, each]) => [`#/${place}/${name}`, each] as const) : [],
    ),
  );
}

function openApi(schema: unknown, { definitions, depth, written }: Place): JsonObject {
  written.count += 1;
  if (!isObject(schema) || depth > MAX_DEPTH || written.count > MAX_WRITTEN) return { type: 'object' };
  const place = { definitions, depth: depth + 1, written };
  const { $ref } = schema;
  if (typeof $ref === 'string') return openApi(definitions.get($ref), place);
  const kept = Object.entries(schema).filter(([name]) => OPEN_API_WORDS.has(name));
  return { ...Object.fromEntries(kept), ...kindOf(schema, place), ...partsOf(schema, place) };
}

/** `type`, `nullable`, `enum` and the choice between schemas, which belong together there. */
function kindOf(schema: JsonObject, place: Place): JsonObject {
  const types = [schema['type']].flat().filter((type) => typeof type === 'string');
  const choices = [schema['anyOf'] ?? schema['oneOf'] ?? schema['allOf'] ?? []].flat();
  const real = choices.filter((choice) => !(isObject(choice) && choice['type'] === 'null'));
  const isNullable = types.includes('null') || real.length < choices.length || schema['nullable'] === true;
  const nullable = isNullable ? { nullable: true } : {};
  const [only, ...others] = real;
  if (only !== undefined && others.length === 0) return { ...openApi(only, place), ...nullable };
  if (only !== undefined) return { anyOf: real.map((choice) => openApi(choice, place)), ...nullable };
  const [type, ...more] = types.filter((each) => each !== 'null');
  if (more.length > 0) return { anyOf: [type, ...more].map((each) => ({ type: each })), ...nullable };
  return { ...valuesOf(schema, type ?? impliedType(schema)), ...nullable };
}

/** A list of values is one of texts there. */
function valuesOf(schema: JsonObject, type: string): JsonObject {
  const constant = schema['const'];
  const values = constant === undefined ? schema['enum'] : [constant];
  if (!Array.isArray(values)) return { type };
  const texts = values.filter((value) => value !== null).map((value) => String(value));
  return type === 'string' || schema['type'] === undefined ? { type: 'string', enum: texts } : { type };
}

function impliedType(schema: JsonObject): string {
  return schema['items'] === undefined ? 'object' : 'array';
}

function partsOf(schema: JsonObject, place: Place): JsonObject {
  const { properties, items } = schema;
  return {
    ...(isObject(properties) ? { properties: mapValues(properties, (each) => openApi(each, place)) } : {}),
    ...(items === undefined ? {} : { items: openApi(items, place) }),
  };
}

function mapValues(source: JsonObject, change: (value: unknown) => unknown): JsonObject {
  return Object.fromEntries(Object.entries(source).map(([name, value]) => [name, change(value)]));
}
