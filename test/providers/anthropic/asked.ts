import { anthropic } from '../../../src/providers/anthropic/anthropic.ts';
import type { JsonObject, PreparedCall } from '../../../src/providers/wire.ts';
import { chatWire } from '../contract-drive.ts';

export interface Asked {
  readonly body: JsonObject;
  readonly dropped: readonly string[];
}

const HELLO = { messages: [{ role: 'user', content: 'Hello' }] };

/** What the API is sent for a chat; `model` and `stream` are taken from it. */
export function asked(chat: JsonObject): Asked {
  const call = prepared(chat);
  return { body: JSON.parse(call.body.toString()) as JsonObject, dropped: call.dropped ?? [] };
}

export function prepared(chat: JsonObject): PreparedCall {
  const model = typeof chat['model'] === 'string' ? chat['model'] : 'claude-sonnet-4-5';
  return chatWire(anthropic).prepare({
    body: Buffer.from(JSON.stringify({ ...HELLO, ...chat, model })),
    model,
    isStreaming: chat['stream'] === true,
    apiKey: 'sk-test',
    basePath: '/v1',
    apiVersion: null,
  });
}

/** Only the fields that differ from those of a plain question. */
export function fields(chat: JsonObject): JsonObject {
  const { model: _model, max_tokens: _cap, messages: _messages, ...rest } = asked(chat).body;
  return rest;
}

export function turns(...messages: readonly JsonObject[]): unknown {
  return asked({ messages }).body['messages'];
}
