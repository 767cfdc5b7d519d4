import type { Chat } from '../mapping/chat-request.ts';
import { objectAt } from '../mapping/json.ts';
import type { JsonObject } from '../wire.ts';
import type { ModelFacts } from './models.ts';
import { signedThoughts } from './turns.ts';

export interface Reasoning {
  readonly thinking: JsonObject | null;
  /** For `output_config`; null: the model's own. */
  readonly effort: string | null;
  /** The client asked for what can't be had here. */
  readonly isDropped: boolean;
}

interface Asked {
  readonly facts: ModelFacts;
  readonly maxTokens: number;
  readonly isToolForced: boolean;
}

const NONE: Reasoning = { thinking: null, effort: null, isDropped: false };
const DROPPED: Reasoning = { ...NONE, isDropped: true };

const EFFORTS: ReadonlyMap<string, string> = new Map([
  ['minimal', 'low'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
  ['xhigh', 'xhigh'],
  ['max', 'max'],
]);

/** Thinking tokens for models that are given a number. */
const BUDGETS: ReadonlyMap<string, number> = new Map([
  ['minimal', 1_024],
  ['low', 2_048],
  ['medium', 8_192],
  ['high', 16_384],
  ['xhigh', 32_000],
  ['max', 32_000],
]);
const LEAST_BUDGET = 1_024;
/** The rest of the output is for the answer itself. */
const MOST_BUDGET_SHARE = 0.75;

/** How much the model is to think. A client that knows this API may say so in its words, as `thinking`. */
export function reasoningOf(chat: Chat, { facts, maxTokens, isToolForced }: Asked): Reasoning {
  const thinking = objectAt(chat.rest, 'thinking');
  if (thinking !== null) return { ...NONE, thinking };
  const level = chat.reasoningEffort;
  if (level === null) return NONE;
  if (level === 'none') return facts.thinking === 'none' ? NONE : { ...NONE, thinking: { type: 'disabled' } };
  switch (facts.thinking) {
    case 'none':
      return DROPPED;
    case 'adaptive':
      return adaptive(level, { facts, isToolForced });
    case 'budget':
      return isToolForced || lacksThoughts(chat) ? DROPPED : withBudget(level, maxTokens);
  }
}

function adaptive(level: string, { facts, isToolForced }: Omit<Asked, 'maxTokens'>): Reasoning {
  const known = EFFORTS.get(level);
  if (known === undefined) return DROPPED;
  const effort = known === 'xhigh' && !facts.hasXhigh ? 'max' : known;
  return { ...NONE, effort, thinking: isToolForced ? null : { type: 'adaptive', display: 'summarized' } };
}

function withBudget(level: string, maxTokens: number): Reasoning {
  const budget = Math.min(BUDGETS.get(level) ?? 0, Math.floor(maxTokens * MOST_BUDGET_SHARE));
  return budget < LEAST_BUDGET ? DROPPED : { ...NONE, thinking: { type: 'enabled', budget_tokens: budget } };
}

/** A model with a budget goes on after a call only from the thoughts that led to it. */
function lacksThoughts({ messages }: Chat): boolean {
  if (messages.at(-1)?.role !== 'tool') return false;
  const caller = messages.findLast(({ role }) => role === 'assistant');
  return caller !== undefined && signedThoughts(caller).length === 0;
}
