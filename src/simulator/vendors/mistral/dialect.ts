import { type ChatDialect, OPENAI_DIALECT } from '../openai-shaped/chat-writer.ts';

/** Ids of calls are nine letters and digits. */
const CALL_ID_LENGTH = 9;

/** Thoughts are parts of the content, calls come whole, usage always comes with the last chunk. */
export const MISTRAL_DIALECT: ChatDialect = {
  ...OPENAI_DIALECT,
  service: {},
  message: { tool_calls: null, prefix: false },
  choice: {},
  hasWholeCalls: true,
  lastChunk: (usage) => ({ usage }),
  callId: (answerId, choice, call) => `${answerId}${choice}${call}`.slice(-CALL_ID_LENGTH),
  usage: ({ input, output }) => ({
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
  }),
  thoughtDelta: (text) => ({ content: [thought(text)] }),
  said: (text, thoughts) => ({ content: thoughts === '' ? text : [thought(thoughts), { type: 'text', text }] }),
};

function thought(text: string): object {
  return { type: 'thinking', thinking: [{ type: 'text', text }] };
}
