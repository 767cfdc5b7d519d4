import { isObject, type JsonObject } from '../request-body/fields.ts';

/** Figures added name by name, details within details; what is no number is that of the first. */
export function addUsage(sum: JsonObject, more: JsonObject): JsonObject {
  const added = Object.entries(more).map(([name, value]) => [name, plus(sum[name], value)] as const);
  return { ...sum, ...Object.fromEntries(added) };
}

function plus(one: unknown, other: unknown): unknown {
  if (typeof one === 'number' && typeof other === 'number') return one + other;
  if (isObject(one) && isObject(other)) return addUsage(one, other);
  return one ?? other;
}
