import type { FinishReason } from '../mapping/chat-answer.ts';
import { fieldAt, flagAt, isObject, listAt, numberAt, objectAt, textAt } from '../mapping/json.ts';
import type { JsonObject } from '../wire.ts';

/** A piece of an answer. Calls come whole. */
export type Piece =
  | { readonly kind: 'text' | 'thought'; readonly text: string; readonly signature: string | null }
  | {
      readonly kind: 'call';
      /** Older models give none. */
      readonly id: string | null;
      readonly name: string;
      readonly args: JsonObject;
      readonly signature: string | null;
    };

/** One of the answers in a GenerateContentResponse, or a further part of it where it is streamed. */
export interface Candidate {
  readonly index: number;
  readonly pieces: readonly Piece[];
  /** The vendor's word; null while it goes on. */
  readonly finish: string | null;
  readonly logprobs: unknown;
}

export function candidatesOf(json: unknown): readonly Candidate[] {
  return listAt(json, 'candidates')
    .filter(isObject)
    .map((candidate, place) => ({
      index: numberAt(candidate, 'index') ?? place,
      pieces: listAt(objectAt(candidate, 'content'), 'parts').flatMap(pieceOf),
      finish: finishWord(candidate),
      logprobs: logprobsOf(objectAt(candidate, 'logprobsResult')),
    }));
}

/** Whether the prompt was blocked, so that there is no candidate at all. */
export function isBlocked(json: unknown): boolean {
  const reason = textAt(objectAt(json, 'promptFeedback'), 'blockReason');
  return reason !== null && reason !== 'BLOCK_REASON_UNSPECIFIED';
}

/** Words for a call that the model botched: another attempt may bring a good one. */
const BOTCHED: ReadonlySet<string> = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'MISSING_THOUGHT_SIGNATURE',
  'MALFORMED_RESPONSE',
]);

/** The word of the first candidate that was botched; null: none was. */
export function botchedBy(json: unknown): string | null {
  const words = listAt(json, 'candidates').map(finishWord);
  return words.find((word) => word !== null && BOTCHED.has(word)) ?? null;
}

const FILTERED: ReadonlySet<string> = new Set([
  ...['SAFETY', 'RECITATION', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII'],
  ...['IMAGE_SAFETY', 'IMAGE_PROHIBITED_CONTENT', 'IMAGE_RECITATION'],
]);

export function finishReason(word: string, hasCalls: boolean): FinishReason {
  if (word === 'MAX_TOKENS') return 'length';
  if (FILTERED.has(word)) return 'content_filter';
  return hasCalls ? 'tool_calls' : 'stop';
}

function finishWord(candidate: unknown): string | null {
  const word = textAt(candidate, 'finishReason');
  return word === 'FINISH_REASON_UNSPECIFIED' ? null : word;
}

function pieceOf(part: unknown): Piece[] {
  const signature = textAt(part, 'thoughtSignature') || null;
  const call = objectAt(part, 'functionCall');
  if (call !== null) {
    const args = objectAt(call, 'args') ?? {};
    return [{ kind: 'call', id: textAt(call, 'id') || null, name: textAt(call, 'name') ?? '', args, signature }];
  }
  const text = textAt(part, 'text');
  // A signature may come alone, in a part that is otherwise empty.
  if (text === null && signature === null) return [];
  return [{ kind: flagAt(part, 'thought') === true ? 'thought' : 'text', text: text ?? '', signature }];
}

/** As OpenAI writes them; undefined: none were told. */
function logprobsOf(result: JsonObject | null): unknown {
  const chosen = listAt(result, 'chosenCandidates');
  if (chosen.length === 0) return undefined;
  const tops = listAt(result, 'topCandidates');
  const content = chosen.map((token, index) => ({
    ...tokenOf(token),
    top_logprobs: listAt(tops[index], 'candidates').map(tokenOf),
  }));
  return { content, refusal: null };
}

function tokenOf(token: unknown): JsonObject {
  const text = textAt(token, 'token') ?? '';
  return { token: text, logprob: fieldAt(token, 'logProbability') ?? 0, bytes: [...Buffer.from(text)] };
}
