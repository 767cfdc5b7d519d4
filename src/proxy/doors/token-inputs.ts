import { invalidType, isObject, type JsonObject, missingParameter } from '../request-body/fields.ts';
import type { Measured } from './door.ts';

/** Texts of a request, each of which may come as token ids instead. */
export interface TokenInputs {
  readonly texts: readonly string[];
  /** LLM tokens of those that came as ids. */
  readonly knownTokens: number;
  /** How many there are, texts and lists of ids together. */
  readonly count: number;
}

/**
 * What `prompt` and `input` may be: a text, a list of texts, one list of token ids, a list of such lists. What stands in a
 * list and is none of these is the upstream's business and counts as its JSON.
 * @throws ProxyError `missing_required_parameter`, `invalid_type`
 */
export function readTokenInputs(body: JsonObject, name: string): TokenInputs {
  const value = body[name];
  if (value === undefined || value === null) throw missingParameter(name);
  if (typeof value === 'string') return { texts: [value], knownTokens: 0, count: 1 };
  if (!Array.isArray(value) || value.length === 0) throw invalidType(name, 'a string or a non-empty array', value);
  const items: readonly unknown[] = value;
  if (isIds(items)) return { texts: [], knownTokens: items.length, count: 1 };
  const lists = items.filter((item) => Array.isArray(item)) as unknown[][];
  for (const [index, item] of items.entries()) {
    if (typeof item === 'string' || isObject(item) || (Array.isArray(item) && isIds(item))) continue;
    throw invalidType(`${name}[${index}]`, 'a string or an array of token ids', item);
  }
  return {
    texts: items.filter((item) => !Array.isArray(item)).map(textOf),
    knownTokens: lists.reduce((sum, ids) => sum + ids.length, 0),
    count: items.length,
  };
}

/** One message: the texts stand side by side, and no message's frame is counted for each. */
export function measureInputs({ texts, knownTokens }: TokenInputs): Measured {
  const content = texts.map((text) => ({ type: 'text', text }));
  return { chat: { messages: [{ role: 'user', content }] }, knownTokens };
}

function isIds(list: readonly unknown[]): boolean {
  return list.length > 0 && list.every((id) => typeof id === 'number');
}

function textOf(item: unknown): string {
  return typeof item === 'string' ? item : JSON.stringify(item);
}
