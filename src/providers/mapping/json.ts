import type { JsonObject } from '../wire.ts';

/** Readers for JSON that nobody has checked: what is not of the kind asked for is absent. */

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectAt(source: unknown, name: string): JsonObject | null {
  const value = fieldAt(source, name);
  return isObject(value) ? value : null;
}

export function listAt(source: unknown, name: string): readonly unknown[] {
  const value = fieldAt(source, name);
  return Array.isArray(value) ? value : [];
}

export function textAt(source: unknown, name: string): string | null {
  const value = fieldAt(source, name);
  return typeof value === 'string' ? value : null;
}

export function numberAt(source: unknown, name: string): number | null {
  const value = fieldAt(source, name);
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export function flagAt(source: unknown, name: string): boolean | null {
  const value = fieldAt(source, name);
  return typeof value === 'boolean' ? value : null;
}

export function fieldAt(source: unknown, name: string): unknown {
  return isObject(source) && Object.hasOwn(source, name) ? source[name] : undefined;
}

/** The value of a JSON text; null when it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** Without the members that are null, which stand for what nobody has said. */
export function withoutNulls(source: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(source).filter(([, value]) => value !== null));
}
