import type { FinishReason } from '../mapping/chat-answer.ts';
import { fieldAt, textAt } from '../mapping/json.ts';

/** Why an answer ended, in OpenAI's words. An answer by tool looks like a call and is none: then `hasCalls` is false. */
export function finishReasonOf(stopReason: string | null, hasCalls: boolean): FinishReason {
  switch (stopReason) {
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return 'length';
    case 'tool_use':
      return hasCalls ? 'tool_calls' : 'stop';
    case 'refusal':
      return 'content_filter';
    default:
      return 'stop';
  }
}

/** Why the model would not answer, as far as it says; null: it did not refuse. `source` holds the stop reason. */
export function refusalOf(source: unknown): string | null {
  if (textAt(source, 'stop_reason') !== 'refusal') return null;
  return textAt(fieldAt(source, 'stop_details'), 'explanation') ?? 'The model declined to answer.';
}
