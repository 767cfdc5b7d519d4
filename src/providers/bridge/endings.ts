import { textAt } from '../mapping/json.ts';
import type { Usage } from '../provider.ts';
import type { JsonObject, TranslationContext } from '../wire.ts';

export interface Ending {
  readonly stop_reason: string;
  readonly stop_sequence: string | null;
}

/** Words of chats that mean that the answer is none. */
const FAILED: ReadonlySet<string> = new Set(['error', 'insufficient_system_resource']);

export function isFailure(finishReason: string | null): boolean {
  return finishReason !== null && FAILED.has(finishReason);
}

/** Why an answer ended, in Anthropic's words. Some servers call tools and say `stop`; some name the text that stopped them. */
export function endingOf(choice: JsonObject, hasCalls: boolean): Ending {
  const stopSequence = textAt(choice, 'stop_reason');
  switch (textAt(choice, 'finish_reason')) {
    case 'length':
      return { stop_reason: 'max_tokens', stop_sequence: null };
    case 'content_filter':
      return { stop_reason: 'refusal', stop_sequence: null };
    default:
      if (hasCalls) return { stop_reason: 'tool_use', stop_sequence: null };
      return { stop_reason: stopSequence === null ? 'end_turn' : 'stop_sequence', stop_sequence: stopSequence };
  }
}

/** Anthropic counts what came from the cache apart from the rest of the input. */
export function usageOf(usage: Usage): JsonObject {
  return {
    input_tokens: Math.max(0, usage.inputTokens - usage.cachedInputTokens),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: usage.cachedInputTokens,
    output_tokens: usage.outputTokens,
  };
}

/** Where a vendor tells nothing, the estimate stands in for it: clients want numbers. */
export function estimatedUsage(inputTokens: number | undefined): Usage {
  return { inputTokens: inputTokens ?? 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };
}

/** `msg_` and what the vendor calls it, or at least when it was: ids of calls are made of it, and may not come again. */
export function messageId(chatId: string | null, { createdS }: TranslationContext): string {
  const id = (chatId ?? '').replace(/^chatcmpl-/, '').replace(/[^A-Za-z0-9_-]/g, '');
  return id.startsWith('msg_') ? id : `msg_${id || createdS.toString(36)}`;
}
