import { readOpenAiUsage } from '../openai-shaped/usage.ts';
import type { Usage } from '../provider.ts';

/** As OpenAI says it; in a stream with the last chunk, without being asked. */
export function readUsage(json: unknown): Usage | null {
  return readOpenAiUsage(json, { isReasoningApart: false });
}
