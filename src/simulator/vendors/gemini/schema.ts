import { asObject, isObject, type Json } from '../../json.ts';

/** All that the vendor's own schemas know; JSON Schema has more, and that is refused. */
const KNOWN = new Set(
  (
    'type format title description nullable enum maxItems minItems properties required minProperties maxProperties ' +
    'minLength maxLength pattern example anyOf propertyOrdering default items minimum maximum'
  ).split(' '),
);

/** The first word of a schema that the vendor does not know, with its place; null: it knows all. */
export function unknownWord(schema: unknown, place: string): string | null {
  if (!isObject(schema)) return null;
  const unknown = Object.keys(schema).find((name) => !KNOWN.has(name));
  if (unknown !== undefined) return `Unknown name "${unknown}" at '${place}': Cannot find field.`;
  const properties = Object.entries(asObject(schema['properties'])).map(
    ([name, property]) => [`${place}.properties[${name}]`, property] as const,
  );
  const choices = [schema['anyOf'] ?? []].flat().map((choice, index) => [`${place}.any_of[${index}]`, choice] as const);
  for (const [where, inner] of [...properties, ...choices, [`${place}.items`, schema['items']] as const]) {
    const found = unknownWord(inner, where);
    if (found) return found;
  }
  return null;
}

/** Its types are in capitals, which JSON Schema does not know. */
export function plainSchema(schema: Json): Json {
  return Object.fromEntries(
    Object.entries(schema).map(([name, value]) => {
      if (name === 'type' && typeof value === 'string') return [name, value.toLowerCase()];
      if (name === 'properties') return [name, mapped(asObject(value))];
      if (name === 'anyOf' && Array.isArray(value)) return [name, value.map((each) => plainSchema(asObject(each)))];
      return [name, name === 'items' ? plainSchema(asObject(value)) : value];
    }),
  );
}

function mapped(properties: Json): Json {
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, plainSchema(asObject(value))]));
}
