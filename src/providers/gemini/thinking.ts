import type { Chat } from '../mapping/chat-request.ts';
import { fieldAt, objectAt } from '../mapping/json.ts';
import type { JsonObject } from '../wire.ts';
import type { ModelFacts } from './models.ts';

/** Thinking tokens for models that are given a number; -1: as the model sees fit. */
const BUDGETS: ReadonlyMap<string, number> = new Map([
  ['none', 0],
  ['minimal', 512],
  ['low', 1_024],
  ['medium', 8_192],
  ['high', 24_576],
  ['xhigh', 24_576],
  ['max', 24_576],
]);

export interface Thinking {
  /** Null: the model's own. */
  readonly config: JsonObject | null;
  /** The client asked for what can't be had here. */
  readonly isDropped: boolean;
}

/**
 * How much the model is to think. A client that knows this API may say so in its words, where the vendor's own endpoint in
 * OpenAI's format has them: `extra_body.google.thinking_config`.
 */
export function thinkingOf(chat: Chat, facts: ModelFacts): Thinking {
  const own = objectAt(googleExtra(chat), 'thinking_config');
  if (own !== null) return { config: inCamelCase(own), isDropped: false };
  const effort = chat.reasoningEffort;
  if (effort === null) return { config: null, isDropped: false };
  const amount = amountOf(effort, facts);
  if (amount !== null) return { config: { ...amount, includeThoughts: effort !== 'none' }, isDropped: false };
  return { config: null, isDropped: effort !== 'none' };
}

/** What a client says to this vendor alone; null: nothing. */
export function googleExtra({ rest }: Chat): JsonObject | null {
  return objectAt(fieldAt(rest, 'extra_body'), 'google') ?? objectAt(rest, 'google');
}

function amountOf(effort: string, { thinking, levels, leastBudgetTokens }: ModelFacts): JsonObject | null {
  const level = levels.get(effort);
  const budget = BUDGETS.get(effort);
  if (thinking === 'level' && level !== undefined) return { thinkingLevel: level };
  if (thinking === 'budget' && budget !== undefined) return { thinkingBudget: Math.max(budget, leastBudgetTokens) };
  return null;
}

function inCamelCase(config: JsonObject): JsonObject {
  const entries = Object.entries(config).map(([name, value]) => {
    return [name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase()), value];
  });
  return Object.fromEntries(entries) as JsonObject;
}
