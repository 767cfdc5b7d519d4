/** What an upstream of OpenAI's format says, for tests. */

export const COMPLETION = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 },
};

export function event(json: unknown): string {
  return `data: ${JSON.stringify(json)}\n\n`;
}

function delta(fields: Readonly<Record<string, unknown>>, finish: string | null = null): string {
  return event({ object: 'chat.completion.chunk', choices: [{ index: 0, delta: fields, finish_reason: finish }] });
}

export const ROLE = delta({ role: 'assistant', content: '' });
export const HELLO = delta({ content: 'Hello there' });
export const STOP = delta({}, 'stop');
export const USAGE = event({ choices: [], usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 } });
export const DONE = 'data: [DONE]\n\n';

export function apiError(message: string, fields: Readonly<Record<string, unknown>> = {}): unknown {
  return { error: { message, type: 'server_error', param: null, code: null, ...fields } };
}

/** A 429 that passes with time, with the numbers of the limit. */
export const RATE_LIMITED = apiError(
  'Rate limit reached for gpt-upstream in organization org-Abc123XYZ on requests per min (RPM): Limit 600, Used 600, Requested 1. Please try again in 100ms.',
  { type: 'requests', code: 'rate_limit_exceeded' },
);
