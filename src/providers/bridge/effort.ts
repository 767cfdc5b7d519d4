import { numberAt, objectAt, textAt } from '../mapping/json.ts';
import type { JsonObject } from '../wire.ts';

interface Effort {
  /** As chats name it; null: the model's own. */
  readonly level: string | null;
  /** The client has asked for thoughts, and nothing could be said of it. */
  readonly isDropped: boolean;
}

/** Models whose vendors take an effort. Others refuse a request that names one. */
const HAS_EFFORT =
  /(?:^|[/:])(?:o\d|gpt-5|gpt-oss|gemini-(?:2\.5|[3-9])|claude|grok-3-mini|magistral|command-a-reasoning|deepseek-v[3-9]|qwen3)/i;

/** The largest budget, in LLM tokens, that still means the level. */
const LEVELS = [
  { level: 'low', upTo: 4_096 },
  { level: 'medium', upTo: 16_384 },
  { level: 'high', upTo: Number.POSITIVE_INFINITY },
] as const;

/** How much a model is to think: messages give a budget or an effort, chats know efforts only. */
export function effortOf(body: JsonObject, model: string): Effort {
  const thinking = objectAt(body, 'thinking');
  const asked = textAt(objectAt(body, 'output_config'), 'effort') ?? levelOf(numberAt(thinking, 'budget_tokens'));
  // No thoughts are what most models have anyway, and few can be told so.
  const isOff = textAt(thinking, 'type') === 'disabled';
  if (asked === null || isOff) return { level: null, isDropped: false };
  return HAS_EFFORT.test(model) ? { level: asked, isDropped: false } : { level: null, isDropped: true };
}

function levelOf(budgetTokens: number | null): string | null {
  if (budgetTokens === null) return null;
  return LEVELS.find(({ upTo }) => budgetTokens <= upTo)?.level ?? null;
}
