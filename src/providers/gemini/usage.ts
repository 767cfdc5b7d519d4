import { numberAt, objectAt } from '../mapping/json.ts';
import type { Usage } from '../provider.ts';

/** Of one request. More is a mistake, and would be a debt on a limit that takes years to pay. */
const MOST_TOKENS = 100_000_000;

/**
 * `usageMetadata` of an answer or of one event, in LLM tokens. Its counts are of all that came so far, and some are in some
 * events only; thoughts are told apart from the rest of the output, and charged like it.
 */
export function readUsage(json: unknown, known: Usage | null): Usage | null {
  const usage = objectAt(json, 'usageMetadata');
  if (usage === null) return null;
  const count = (name: string): number | null => {
    const value = numberAt(usage, name);
    return value === null || value < 0 || value > MOST_TOKENS ? null : value;
  };
  const [prompt, answer, thoughts] = ['promptTokenCount', 'candidatesTokenCount', 'thoughtsTokenCount'].map(count);
  if (prompt == null && answer == null && thoughts == null) return null;
  const reasoningTokens = thoughts ?? known?.reasoningTokens ?? 0;
  const answerTokens = answer ?? (known ? known.outputTokens - known.reasoningTokens : 0);
  const inputTokens = prompt == null ? (known?.inputTokens ?? 0) : prompt + (count('toolUsePromptTokenCount') ?? 0);
  const cachedTokens = count('cachedContentTokenCount') ?? known?.cachedInputTokens ?? 0;
  return {
    inputTokens,
    cachedInputTokens: Math.min(cachedTokens, inputTokens),
    outputTokens: answerTokens + reasoningTokens,
    reasoningTokens,
  };
}
