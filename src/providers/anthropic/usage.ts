import { fieldAt, isObject, listAt, numberAt, objectAt } from '../mapping/json.ts';
import type { Usage } from '../provider.ts';
import type { JsonObject } from '../wire.ts';

/** Of one request. More is a mistake, and would be a debt on a limit that takes years to refill. */
const MOST_TOKENS = 100_000_000;

/**
 * What a whole message, the first event of a stream (`message_start`) or its last but one (`message_delta`) says was used;
 * null when it says nothing. What a later event says replaces what an earlier one said; what it leaves out still holds.
 */
export function readMessagesUsage(json: unknown, known: Usage | null): Usage | null {
  const usage = objectAt(json, 'usage') ?? objectAt(fieldAt(json, 'message'), 'usage');
  if (usage === null) return null;
  const told = totalsOf(usage);
  const outputTokens = told.output ?? known?.outputTokens ?? null;
  if (told.input === null && outputTokens === null) return null;
  const cachedInputTokens = told.cached ?? known?.cachedInputTokens ?? 0;
  return {
    inputTokens: told.input === null ? (known?.inputTokens ?? 0) : told.input + told.written + cachedInputTokens,
    cachedInputTokens,
    outputTokens: outputTokens ?? 0,
    reasoningTokens: told.thinking ?? known?.reasoningTokens ?? 0,
  };
}

/** `cache_creation_input_tokens`: charged as input. `cache_read_input_tokens`: free of the input limit. */
function totalsOf(usage: JsonObject) {
  const { input, output } = summed(usage) ?? usageOf(usage);
  return {
    input,
    output,
    cached: tokensAt(usage, 'cache_read_input_tokens'),
    written: tokensAt(usage, 'cache_creation_input_tokens') ?? 0,
    thinking: tokensAt(fieldAt(usage, 'output_tokens_details'), 'thinking_tokens'),
  };
}

interface Totals {
  readonly input: number | null;
  readonly output: number | null;
}

/**
 * A request may run its model several times (compaction, server tools). The top level then leaves some of that out, so the
 * runs are added up; those of an adviser, which is another model, are not this one's.
 */
function summed(usage: JsonObject): Totals | null {
  const runs = listAt(usage, 'iterations').filter(isObject);
  const own = runs.filter(({ type }) => type === 'message' || type === 'compaction').map(usageOf);
  if (own.length === 0) return null;
  const sum = (of: keyof Totals): number => own.reduce((total, run) => total + (run[of] ?? 0), 0);
  return { input: sum('input'), output: sum('output') };
}

function usageOf(usage: JsonObject): Totals {
  return { input: tokensAt(usage, 'input_tokens'), output: tokensAt(usage, 'output_tokens') };
}

function tokensAt(source: unknown, name: string): number | null {
  const value = numberAt(source, name);
  return value !== null && value >= 0 && value <= MOST_TOKENS ? value : null;
}
