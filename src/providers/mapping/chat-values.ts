import type { JsonObject, Unsupported } from '../wire.ts';
import { fieldAt, isObject, listAt, textAt } from './json.ts';

const ROLES: readonly unknown[] = ['system', 'developer', 'user', 'assistant', 'tool', 'function'];
const CHOICES: readonly unknown[] = ['auto', 'none', 'required'];

/**
 * A value that OpenAI's format does not have, where its reading would otherwise be a guess that changes the answer: null
 * if there is none. Vendors that get the client's bytes judge such values themselves; these never see them.
 */
export function refusesValues(body: JsonObject): Unsupported | null {
  return (
    firstOf(listAt(body, 'messages').map((message, index) => refusesMessage(message, `messages[${index}]`))) ??
    refusesChoice(body['tool_choice'] ?? null) ??
    refusesFormat(body['response_format'] ?? null) ??
    refusesStop(body['stop'] ?? null)
  );
}

function refusesMessage(message: unknown, path: string): Unsupported | null {
  if (!ROLES.includes(fieldAt(message, 'role'))) {
    return { param: `${path}.role`, message: 'a role is system, developer, user, assistant or tool.' };
  }
  const content = fieldAt(message, 'content') ?? null;
  if (content === null || typeof content === 'string' || Array.isArray(content)) return null;
  return { param: `${path}.content`, message: 'what a message says is a text or a list of parts.' };
}

function refusesChoice(choice: unknown): Unsupported | null {
  if (choice === null || CHOICES.includes(choice) || isObject(choice)) return null;
  return { param: 'tool_choice', message: 'a choice of tools is auto, none, required, or names one.' };
}

function refusesFormat(format: unknown): Unsupported | null {
  const type = textAt(format, 'type');
  const isWhole = type === 'json_schema' && isObject(fieldAt(format, 'json_schema'));
  if (format === null || type === 'text' || type === 'json_object' || isWhole) return null;
  const message = 'a format is of type text, json_object, or json_schema with the schema under `json_schema`.';
  return { param: 'response_format', message };
}

function refusesStop(stop: unknown): Unsupported | null {
  if (stop === null || typeof stop === 'string') return null;
  if (Array.isArray(stop) && stop.every((each) => typeof each === 'string')) return null;
  return { param: 'stop', message: 'what ends an answer is a text or a list of texts.' };
}

function firstOf(mistakes: readonly (Unsupported | null)[]): Unsupported | null {
  return mistakes.find((mistake) => mistake !== null) ?? null;
}
