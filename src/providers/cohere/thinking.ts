import type { Chat } from '../mapping/chat-request.ts';
import { objectAt } from '../mapping/json.ts';
import type { JsonObject } from '../wire.ts';

export interface Thinking {
  /** Null: the model's own way. */
  readonly field: JsonObject | null;
  /** The client asked for what can't be had here. */
  readonly isDropped: boolean;
}

/** They think unless they are told not to; no other model takes the field (docs.cohere.com/docs/reasoning). */
const REASONING_MODEL = /reasoning|^command-a-plus/;

/** Thinking tokens; what is not here is left to the model. */
const BUDGETS: ReadonlyMap<string, number> = new Map([
  ['minimal', 512],
  ['low', 2_048],
  ['medium', 8_192],
  ['high', 16_384],
]);
/** What is left to the answer itself, of a cap that the client gave. */
const LEAST_ANSWER_TOKENS = 1_000;

/** How much the model is to think. A client that knows this API may say so in its words, as `thinking`. */
export function thinkingOf({ rest, reasoningEffort, outputCapTokens }: Chat, model: string): Thinking {
  const own = objectAt(rest, 'thinking');
  if (own !== null || reasoningEffort === null) return { field: own, isDropped: false };
  if (!REASONING_MODEL.test(model)) return { field: null, isDropped: reasoningEffort !== 'none' };
  if (reasoningEffort === 'none') return { field: { type: 'disabled' }, isDropped: false };
  const room = outputCapTokens === null ? null : outputCapTokens - LEAST_ANSWER_TOKENS;
  const wanted = BUDGETS.get(reasoningEffort) ?? null;
  if (wanted === null || (room !== null && room < 1)) return { field: { type: 'enabled' }, isDropped: false };
  const budget = room === null ? wanted : Math.min(wanted, room);
  return { field: { type: 'enabled', token_budget: budget }, isDropped: false };
}
