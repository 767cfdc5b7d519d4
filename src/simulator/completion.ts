import type { Choice } from './compose-answer.ts';

/** What all parts of one answer have in common. */
export interface Completion {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly model: string;
  readonly choices: readonly Choice[];
  readonly includesUsage: boolean;
}

/** In the vendor's tokens. */
export interface CompletionUsage {
  readonly input: number;
  readonly output: number;
}

const SERVICE = { service_tier: 'default', system_fingerprint: 'fp_simulated' } as const;

function usageJson({ input, output }: CompletionUsage): object {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

/** The body of an answer that is not streamed. */
export function wholeBody({ id, created, model, choices }: Completion, usage: CompletionUsage): string {
  return JSON.stringify({
    id,
    object: 'chat.completion',
    created,
    model,
    choices: choices.map((choice, index) => ({
      index,
      message: messageOf(choice, `${id}-${index}`),
      logprobs: null,
      finish_reason: choice.finishReason,
    })),
    usage: usageJson(usage),
    ...SERVICE,
  });
}

function messageOf(choice: Choice, callId: string): object {
  const text = choice.text(choice.length);
  const message = { role: 'assistant', content: choice.calls === null ? text : null, refusal: null, annotations: [] };
  if (choice.calls === null) return message;
  const call = { id: `call_${callId}`, type: 'function', function: { name: choice.calls, arguments: text } };
  return { ...message, tool_calls: [call] };
}

/** Writes the events of a streamed answer. What never changes within an answer is serialised once. */
export class ChunkWriter {
  readonly #completion: Completion;
  readonly #before: string;
  readonly #after: string;

  constructor(completion: Completion) {
    const { id, created, model, includesUsage } = completion;
    this.#completion = completion;
    const common = JSON.stringify({ id, object: 'chat.completion.chunk', created, model, ...SERVICE });
    this.#before = `data: ${common.slice(0, -1)},"choices":[`;
    this.#after = `]${includesUsage ? ',"usage":null' : ''}}\n\n`;
  }

  /** The first event of each choice: its role, and for a call the function's name. */
  opening(): string {
    return this.#completion.choices
      .map(({ calls }, index) => {
        const role = { role: 'assistant', content: calls === null ? '' : null, refusal: null };
        if (calls === null) return this.#chunk(index, JSON.stringify(role));
        const id = `call_${this.#completion.id}-${index}`;
        const call = { index: 0, id, type: 'function', function: { name: calls, arguments: '' } };
        return this.#chunk(index, JSON.stringify({ ...role, tool_calls: [call] }));
      })
      .join('');
  }

  /** The `round`th token of every choice that has one, and the end of those that do not go on. */
  round(round: number): string {
    let events = '';
    for (const [index, choice] of this.#completion.choices.entries()) {
      if (round >= choice.length) continue;
      const text = JSON.stringify(choice.piece(round));
      const delta =
        choice.calls === null ? `{"content":${text}}` : `{"tool_calls":[{"index":0,"function":{"arguments":${text}}}]}`;
      events += this.#chunk(index, delta);
      if (round === choice.length - 1) events += this.#chunk(index, '{}', choice.finishReason);
    }
    return events;
  }

  /** What follows the last token. */
  closing(usage: CompletionUsage): string {
    if (!this.#completion.includesUsage) return 'data: [DONE]\n\n';
    const after = `],"usage":${JSON.stringify(usageJson(usage))}}\n\n`;
    return `${this.#before}${after}data: [DONE]\n\n`;
  }

  #chunk(index: number, delta: string, finishReason: string | null = null): string {
    const reason = finishReason === null ? 'null' : `"${finishReason}"`;
    return `${this.#before}{"index":${index},"delta":${delta},"logprobs":null,"finish_reason":${reason}}${this.#after}`;
  }
}
