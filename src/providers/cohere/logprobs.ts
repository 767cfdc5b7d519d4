import { isObject, listAt, textAt } from '../mapping/json.ts';
import type { JsonObject } from '../wire.ts';

/**
 * Log probabilities as OpenAI tells them. They come by piece of text, with a number for each token of it: the piece is told
 * as one token, whose number is the sum of theirs. Null: there are none.
 */
export function logprobsOf(items: unknown): JsonObject | null {
  const pieces = (Array.isArray(items) ? items : [items]).filter(isObject);
  if (pieces.length === 0) return null;
  const content = pieces.map((piece) => ({
    token: textAt(piece, 'text') ?? '',
    logprob: listAt(piece, 'logprobs').reduce((sum: number, each) => sum + (typeof each === 'number' ? each : 0), 0),
    bytes: null,
    top_logprobs: [],
  }));
  return { content, refusal: null };
}
