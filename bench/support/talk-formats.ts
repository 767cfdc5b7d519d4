/** One turn of a conversation in the words of an endpoint, and what its answer says of the prompt. */
export interface TalkFormat {
  readonly path: string;
  body(model: string, said: readonly string[]): object;
  /** In the vendor's tokens. */
  usageOf(answer: unknown): { readonly input: number; readonly cached: number };
}

const ROLES = ['user', 'assistant'] as const;

function messagesOf(said: readonly string[]): { role: string; content: string }[] {
  return said.map((content, index) => ({ role: ROLES[index % 2] as string, content }));
}

export const CHATS: TalkFormat = {
  path: '/v1/chat/completions',
  body: (model, said) => ({ model, messages: messagesOf(said), max_tokens: 100 }),
  usageOf(answer) {
    const { usage } = answer as { usage: { prompt_tokens: number; prompt_tokens_details: { cached_tokens: number } } };
    return { input: usage.prompt_tokens, cached: usage.prompt_tokens_details.cached_tokens };
  },
};

/** The last message is marked, as Anthropic's clients do it: the mark moves on with each turn. */
export const MESSAGES: TalkFormat = {
  path: '/v1/messages',
  body(model, said) {
    const messages = messagesOf(said).map(({ role, content }, index) => {
      const mark = index === said.length - 1 ? { cache_control: { type: 'ephemeral' } } : {};
      return { role, content: [{ type: 'text', text: content, ...mark }] };
    });
    return { model, messages, max_tokens: 100 };
  },
  usageOf(answer) {
    const { usage } = answer as { usage: Readonly<Record<string, number>> };
    const cached = usage['cache_read_input_tokens'] ?? 0;
    return { input: (usage['input_tokens'] ?? 0) + (usage['cache_creation_input_tokens'] ?? 0) + cached, cached };
  },
};
