import type { AnswerText } from './answer-text.ts';
import type { ModelRequest } from './api/model-request.ts';
import { splitTokens } from './count-tokens.ts';
import { asObject, asText, type Json } from './json.ts';
import { jsonExample } from './json-example.ts';

/** A stretch of an answer, piece by piece. A piece is one token. */
export interface Part {
  /** `hidden` is thinking that counts and is not shown. */
  readonly kind: 'text' | 'thinking' | 'hidden' | 'call';
  /** The function called; empty for all else. */
  readonly name: string;
  /** Which of the calls of its choice this is, from 0. */
  readonly call: number;
  /** In o200k tokens, at least 1. */
  readonly length: number;
  /** It was meant to be longer. */
  readonly isCut: boolean;
  piece(index: number): string;
  text(): string;
}

/** One of the `n` answers. */
export interface Choice {
  /** In o200k tokens. */
  readonly length: number;
  readonly finish: 'stop' | 'length' | 'tool_calls';
  /** The client's text that ended it; null: it ended by itself. */
  readonly stoppedBy: string | null;
  readonly parts: readonly Part[];
}

export interface AnswerSource {
  readonly words: AnswerText;
  /** Draws the length of one choice, in o200k tokens. */
  drawLength(): number;
  /** How many vendor's tokens one o200k token counts. */
  readonly usageFactor: number;
}

/** How long a model thinks, in o200k tokens. */
const THINKING_TOKENS = 16;

/** More stop texts are not looked for. */
const MOST_STOPS = 16;

/** What the model says to a request. */
export function composeAnswer(request: ModelRequest, source: AnswerSource): readonly Choice[] {
  const cap = request.choiceCap === null ? null : Math.max(1, Math.floor(request.choiceCap / source.usageFactor));
  return Array.from({ length: request.n }, () => {
    const { text, stoppedBy } = saidParts(request, source);
    const parts = cutParts([...thinkingParts(request, source.words), ...text], cap ?? Number.POSITIVE_INFINITY);
    const isWhole = parts.at(-1)?.isCut === false;
    const whole = request.calls.length > 0 ? 'tool_calls' : 'stop';
    return {
      length: parts.reduce((total, part) => total + part.length, 0),
      finish: isWhole ? whole : 'length',
      stoppedBy: isWhole ? stoppedBy : null,
      parts,
    };
  });
}

/** The text of all parts of a kind. */
export function textOf(choice: Choice, kind: Part['kind']): string {
  let text = '';
  for (const part of choice.parts) if (part.kind === kind) text += part.text();
  return text;
}

/** Thinking that is among the first tokens of a choice. */
export function thinkingIn(choice: Choice, tokens: number): number {
  let left = tokens;
  let thinking = 0;
  for (const { kind, length } of choice.parts) {
    if (kind === 'thinking' || kind === 'hidden') thinking += Math.min(left, length);
    left = Math.max(0, left - length);
  }
  return thinking;
}

function thinkingParts({ thinking }: ModelRequest, words: AnswerText): Part[] {
  if (thinking === 'none') return [];
  return [wordsPart(thinking === 'shown' ? 'thinking' : 'hidden', words, THINKING_TOKENS)];
}

function saidParts(request: ModelRequest, source: AnswerSource): { text: Part[]; stoppedBy: string | null } {
  const { calls, schema, stops } = request;
  if (calls.length > 0) return { text: calls.map(callPart), stoppedBy: null };
  if (schema) return { text: [piecesPart(splitTokens(asciiJson(jsonExample(schema))))], stoppedBy: null };
  const wanted = Math.max(1, Math.round(source.drawLength()));
  const stop = firstStop(source.words, wanted, stops);
  const length = stop === null ? wanted : stop.tokens;
  return { text: [wordsPart('text', source.words, length)], stoppedBy: stop?.text ?? null };
}

/** Which of the stop texts comes first, and the whole tokens before it; at least one is said. */
function firstStop(
  words: AnswerText,
  wanted: number,
  stops: readonly string[],
): { text: string; tokens: number } | null {
  const said = words.text(wanted);
  let first: { text: string; at: number } | null = null;
  for (const text of stops.slice(0, MOST_STOPS)) {
    const at = text === '' ? -1 : said.indexOf(text);
    if (at >= 0 && (first === null || at < first.at)) first = { text, at };
  }
  if (first === null) return null;
  const { text, at } = first;
  let tokens = 0;
  for (let length = 0; length <= at && tokens < wanted; tokens++) length += words.piece(tokens).length;
  return { text, tokens: Math.max(1, tokens - 1) };
}

function cutParts(parts: readonly Part[], cap: number): Part[] {
  const kept: Part[] = [];
  let left = cap;
  for (const part of parts) {
    // What was left out before this part cut the one before it.
    if (left <= 0) return [...kept.slice(0, -1), ...kept.slice(-1).map((last) => ({ ...last, isCut: true }))];
    const length = Math.min(left, part.length);
    kept.push(length === part.length ? part : shortened(part, length));
    left -= length;
  }
  return kept;
}

function shortened(part: Part, length: number): Part {
  return {
    ...part,
    length,
    isCut: true,
    text: () => Array.from({ length }, (_, index) => part.piece(index)).join(''),
  };
}

function wordsPart(kind: Part['kind'], words: AnswerText, length: number): Part {
  return {
    ...{ kind, name: '', call: 0, length, isCut: false },
    piece: (index) => words.piece(index),
    text: () => words.text(length),
  };
}

function piecesPart(pieces: readonly string[]): Part {
  return {
    ...{ kind: 'text' as const, name: '', call: 0, length: pieces.length, isCut: false },
    piece: (index) => pieces[index] ?? '',
    text: () => pieces.join(''),
  };
}

function callPart(tool: Json, call: number): Part {
  const { parameters } = tool;
  const pieces = splitTokens(asciiJson(jsonExample({ type: 'object', ...asObject(parameters) })));
  return { ...piecesPart(pieces), kind: 'call', name: asText(tool['name']), call };
}

/** JSON whose every token is whole characters. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u0080-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
