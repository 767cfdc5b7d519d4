import { numberAt, objectAt } from '../mapping/json.ts';
import type { Usage } from '../provider.ts';
import type { JsonObject } from '../wire.ts';

/** Of one request. More is a mistake, and would be a debt on a limit that takes years to refill. */
const MOST_TOKENS = 100_000_000;

/**
 * What an answer, the last event of a stream (`message-end`) or a list of vectors says was used. `tokens` is what was really
 * read and written, with the vendor's own preamble; `billed_units`, which leaves that out, stands in where it is missing.
 */
export function readUsage(json: unknown): Usage | null {
  const usage = objectAt(json, 'usage') ?? objectAt(objectAt(json, 'delta'), 'usage') ?? objectAt(json, 'meta');
  if (usage === null) return null;
  const counted = countsOf(objectAt(usage, 'tokens')) ?? countsOf(objectAt(usage, 'billed_units'));
  if (counted === null) return null;
  return {
    ...counted,
    cachedInputTokens: Math.min(tokensAt(usage, 'cached_tokens') ?? 0, counted.inputTokens),
    // It does not say what was thought.
    reasoningTokens: 0,
  };
}

function countsOf(units: JsonObject | null): Pick<Usage, 'inputTokens' | 'outputTokens'> | null {
  const [input, output] = [tokensAt(units, 'input_tokens'), tokensAt(units, 'output_tokens')];
  if (input === null && output === null) return null;
  return { inputTokens: input ?? 0, outputTokens: output ?? 0 };
}

function tokensAt(source: unknown, name: string): number | null {
  const value = numberAt(source, name);
  return value !== null && value >= 0 && value <= MOST_TOKENS ? value : null;
}
