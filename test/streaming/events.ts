import { SseDecoder, SseEvent } from '../../src/streaming/sse-decoder.ts';

interface Choice {
  readonly delta?: unknown;
  readonly finish_reason?: string | null;
}

/** One chunk as OpenAI sends it, as an event. */
export function chunkEvent(choice: Choice, extra: Readonly<Record<string, unknown>> = {}): string {
  const choices = [{ index: 0, delta: {}, logprobs: null, finish_reason: null, ...choice }];
  return sse({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm', choices, ...extra });
}

export function sse(json: unknown): string {
  return `data: ${JSON.stringify(json)}\n\n`;
}

export const ROLE = chunkEvent({ delta: { role: 'assistant', content: '', refusal: null } }, { usage: null });
export const STOP = chunkEvent({ finish_reason: 'stop' }, { usage: null });
export const USAGE = sse({ id: 'chatcmpl-1', choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } });
export const DONE = 'data: [DONE]\n\n';

export function text(content: string): string {
  return chunkEvent({ delta: { content } }, { usage: null });
}

export function eventOf(raw: string): SseEvent {
  const bytes = Buffer.from(raw);
  const [event] = new SseDecoder().push(bytes);
  return event ?? new SseEvent(bytes, 0, bytes.length);
}
