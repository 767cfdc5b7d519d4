import type { AnswerHead } from '../mapping/chat-answer.ts';
import { fieldAt, isObject, listAt, numberAt, textAt } from '../mapping/json.ts';
import type { TranslationContext } from '../wire.ts';

/** A piece of what a model has said. */
export interface Said {
  readonly kind: 'text' | 'reasoning';
  readonly text: string;
}

/**
 * The content of an answer or a delta: a text, or a list of texts, thoughts and references. References point into documents
 * that the client has sent, which its format has no place for.
 */
export function saidIn(content: unknown): readonly Said[] {
  if (typeof content === 'string') return [{ kind: 'text', text: content }];
  if (!Array.isArray(content)) return [];
  return content.filter(isObject).flatMap((chunk): Said[] => {
    if (chunk['type'] === 'thinking') return [{ kind: 'reasoning', text: thoughtIn(fieldAt(chunk, 'thinking')) }];
    const text = textAt(chunk, 'text');
    return text === null ? [] : [{ kind: 'text', text }];
  });
}

/** All of one kind, in one piece. */
export function joined(said: readonly Said[], kind: Said['kind']): string {
  return said.map((each) => (each.kind === kind ? each.text : '')).join('');
}

function thoughtIn(thinking: unknown): string {
  if (typeof thinking === 'string') return thinking;
  return listAt({ thinking }, 'thinking')
    .map((chunk) => textAt(chunk, 'text') ?? '')
    .join('');
}

/** The arguments of a call: JSON text, or the object itself. */
export function argumentsIn(called: unknown): string {
  const given = fieldAt(called, 'arguments');
  if (typeof given === 'string') return given;
  return isObject(given) ? JSON.stringify(given) : '';
}

/** What the answer says of itself, whole or in a chunk. */
export function headOf(json: unknown, { model, createdS }: TranslationContext): AnswerHead {
  return {
    id: textAt(json, 'id') || 'chatcmpl',
    model: textAt(json, 'model') || model,
    createdS: numberAt(json, 'created') ?? createdS,
  };
}
