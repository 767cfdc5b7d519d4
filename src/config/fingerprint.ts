import { createHash } from 'node:crypto';
import { Secret } from './secret.ts';

/** Equal for equal parts of a configuration, secrets included, and for no others. It shows no secret. */
export function fingerprint(part: unknown): string {
  return hash(JSON.stringify(comparable(part)) ?? 'undefined');
}

/** What JSON would print the same although it is not. */
function comparable(value: unknown): unknown {
  if (value instanceof Secret) return ['secret', hash(value.reveal())];
  if (value instanceof Map) return ['map', ...value].map(comparable);
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, comparable(each)]));
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
