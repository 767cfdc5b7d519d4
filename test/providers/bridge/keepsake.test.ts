import { expect, test } from 'vitest';
import { overChat } from '../../../src/providers/bridge/over-chat.ts';
import { gemini } from '../../../src/providers/gemini/gemini.ts';
import type { JsonObject } from '../../../src/providers/wire.ts';
import { messageIn } from './read-stream.ts';

const { chat } = gemini.wires;
if (!chat) throw new Error('no chats');
const wire = overChat(chat, { vendor: 'gemini', readUsage: gemini.readUsage, asksForUsage: false });
const QUESTION = { role: 'user', content: 'Weather?' };
const ASK = {
  max_tokens: 64,
  tools: [{ name: 'weather', input_schema: { type: 'object', properties: { city: { type: 'string' } } } }],
};
const ANSWER = {
  responseId: 'r1',
  candidates: [
    {
      content: {
        role: 'model',
        parts: [
          { text: 'Hm.', thought: true },
          { functionCall: { name: 'weather', args: { city: 'Ghent' } }, thoughtSignature: 'c2lnbmVk' },
        ],
      },
      finishReason: 'STOP',
    },
  ],
  usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 4 },
};

function translator() {
  const made = wire.translator?.({ model: 'gemini-3-flash', createdS: 1, wantsThinking: true });
  if (!made) throw new Error('no translator');
  return made;
}

function streamed(): JsonObject {
  const made = translator();
  return messageIn(made.event({ name: null, json: ANSWER }) + made.end(''));
}

test.each([
  ['whole', () => translator().whole(ANSWER)],
  ['streamed', streamed],
])("a vendor's signature comes back with the call that it belongs to: %s", (_how, answered) => {
  const { content, stop_reason: reason } = answered();
  const [thought, call] = content as JsonObject[];
  expect([thought, call, reason]).toMatchObject([
    { type: 'thinking', thinking: 'Hm.' },
    { type: 'tool_use' },
    'tool_use',
  ]);
  const results = [{ type: 'tool_result', tool_use_id: call?.['id'], content: 'Rain.' }];
  const messages = [QUESTION, { role: 'assistant', content }, { role: 'user', content: results }];
  const { body } = wire.prepare({
    body: Buffer.from(JSON.stringify({ ...ASK, messages })),
    model: 'gemini-3-flash',
    isStreaming: false,
    apiKey: 'k',
    basePath: '/v1beta',
    apiVersion: null,
  });
  const { contents } = JSON.parse(body.toString());
  const parts = contents.flatMap((turn: { parts: object[] }) => turn.parts);
  expect(parts).toContainEqual(
    expect.objectContaining({
      functionCall: expect.objectContaining({ name: 'weather' }),
      thoughtSignature: 'c2lnbmVk',
    }),
  );
});
