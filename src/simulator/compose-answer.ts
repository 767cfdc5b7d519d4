import type { AnswerText } from './answer-text.ts';
import type { ChatRequest, Json } from './chat-request.ts';
import { splitTokens } from './count-tokens.ts';
import { jsonExample } from './json-example.ts';

/** One of the `n` answers, piece by piece. A piece is one token. */
export interface Choice {
  /** In o200k tokens. */
  readonly length: number;
  readonly finishReason: 'stop' | 'length' | 'tool_calls';
  /** The function called; null: words. */
  readonly calls: string | null;
  piece(index: number): string;
  /** All pieces up to `length`. */
  text(length: number): string;
}

export interface AnswerSource {
  readonly words: AnswerText;
  /** Draws the length of one choice, in o200k tokens. */
  drawLength(): number;
  /** How many vendor's tokens one o200k token counts. */
  readonly usageFactor: number;
}

/** What the model says to a request. */
export function composeAnswer(request: ChatRequest, source: AnswerSource): readonly Choice[] {
  const cap = request.choiceCap === null ? null : Math.max(1, Math.floor(request.choiceCap / source.usageFactor));
  return Array.from({ length: request.n }, () => {
    if (request.calls) return fixedChoice(argumentsFor(request.calls), cap, String(request.calls['name']));
    if (request.schema) return fixedChoice(asciiJson(jsonExample(request.schema)), cap, null);
    return wordChoice(source, cap);
  });
}

function wordChoice({ words, drawLength }: AnswerSource, cap: number | null): Choice {
  const wanted = Math.max(1, Math.round(drawLength()));
  const isCut = cap !== null && wanted > cap;
  return {
    length: isCut ? cap : wanted,
    finishReason: isCut ? 'length' : 'stop',
    calls: null,
    piece: (index) => words.piece(index),
    text: (length) => words.text(length),
  };
}

function fixedChoice(text: string, cap: number | null, calls: string | null): Choice {
  const pieces = splitTokens(text);
  const isCut = cap !== null && pieces.length > cap;
  const whole = calls === null ? 'stop' : 'tool_calls';
  return {
    length: isCut ? cap : pieces.length,
    finishReason: isCut ? 'length' : whole,
    calls,
    piece: (index) => pieces[index] ?? '',
    text: (length) => pieces.slice(0, length).join(''),
  };
}

function argumentsFor(tool: Json): string {
  const { parameters } = tool;
  return asciiJson(typeof parameters === 'object' && parameters !== null ? jsonExample(parameters as Json) : {});
}

/** JSON whose every token is whole characters. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u0080-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
