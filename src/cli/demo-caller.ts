import { DEMO_MODELS } from './demo-stage.ts';

/** What came of one request. */
export type Answer =
  | { readonly kind: 'served'; readonly key: string; readonly queuedMs: number }
  /** Turned away for now, and told when to come back. */
  | { readonly kind: 'refused'; readonly retryAfterMs: number }
  | { readonly kind: 'failed'; readonly reason: string };

/** Asks for one chat completion, as an ordinary client does. `id` becomes its request id. */
export async function ask(url: string, id: string): Promise<Answer> {
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': id },
      // Each says something else, or Sluice would take one that comes back for any other.
      body: JSON.stringify({
        model: DEMO_MODELS[0],
        messages: [{ role: 'user', content: `What does ${id} stand for?` }],
      }),
    });
    await response.arrayBuffer();
    return answerOf(response);
  } catch (error) {
    return { kind: 'failed', reason: error instanceof Error ? error.message : 'no connection' };
  }
}

function answerOf({ status, headers }: Response): Answer {
  if (status === 200) {
    return {
      kind: 'served',
      key: headers.get('x-sluice-key') ?? 'unknown',
      queuedMs: Number(headers.get('x-sluice-queue-ms')),
    };
  }
  const retryAfterMs = headers.get('retry-after-ms');
  if (status === 429 && retryAfterMs !== null) return { kind: 'refused', retryAfterMs: Number(retryAfterMs) };
  return { kind: 'failed', reason: `status ${status}` };
}
