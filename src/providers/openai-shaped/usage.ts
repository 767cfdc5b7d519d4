import type { Usage } from '../provider.ts';
import { fieldOf, isObject } from './json.ts';

/** How a vendor's `usage` departs from OpenAI's. */
export interface UsageQuirks {
  /** `completion_tokens` leaves reasoning out, so it has to be added (xAI). */
  readonly isReasoningApart: boolean;
}

/**
 * The usage in an answer or in one streamed event, in LLM tokens; null when there is none. Reads OpenAI's fields, those of its
 * Responses API (in a stream they stand in `response`), DeepSeek's `prompt_cache_hit_tokens` and Groq's `x_groq.usage`.
 */
export function readOpenAiUsage(json: unknown, quirks: UsageQuirks): Usage | null {
  const holders = [json, fieldOf(json, 'x_groq'), fieldOf(json, 'response')];
  const usage = holders.map((holder) => fieldOf(holder, 'usage')).find(isObject);
  if (usage === undefined) return null;
  const inputTokens = tokensOf(usage, 'prompt_tokens', 'input_tokens');
  const completionTokens = tokensOf(usage, 'completion_tokens', 'output_tokens');
  if (inputTokens === null && completionTokens === null) return null;
  const cached =
    tokensOf(fieldOf(usage, 'prompt_tokens_details') ?? fieldOf(usage, 'input_tokens_details'), 'cached_tokens') ??
    tokensOf(usage, 'prompt_cache_hit_tokens');
  const reasoningTokens =
    tokensOf(
      fieldOf(usage, 'completion_tokens_details') ?? fieldOf(usage, 'output_tokens_details'),
      'reasoning_tokens',
    ) ?? 0;
  return {
    inputTokens: inputTokens ?? 0,
    // Some vendors count more cached tokens than the prompt has.
    cachedInputTokens: Math.min(cached ?? 0, inputTokens ?? 0),
    outputTokens: (completionTokens ?? 0) + (quirks.isReasoningApart ? reasoningTokens : 0),
    reasoningTokens,
  };
}

/** Of one request. More is a mistake, and would be a debt on a limit that takes years to refill. */
const MOST_TOKENS = 100_000_000;

function tokensOf(source: unknown, ...names: readonly string[]): number | null {
  for (const name of names) {
    const value = fieldOf(source, name);
    if (typeof value === 'number' && value >= 0 && value <= MOST_TOKENS) return value;
  }
  return null;
}
