import { mistral } from '../../../src/providers/mistral/mistral.ts';
import type { JsonObject, Operation } from '../../../src/providers/wire.ts';

export interface Asked {
  readonly body: JsonObject;
  readonly dropped: readonly string[];
}

/** What the API is sent; `model` is taken from the request. */
export function asked(request: JsonObject, operation: Operation = 'chat'): Asked {
  const model = typeof request['model'] === 'string' ? request['model'] : 'mistral-small-latest';
  const call = mistral.wires[operation]?.prepare({
    body: Buffer.from(JSON.stringify({ ...request, model })),
    model,
    isStreaming: false,
    apiKey: 'sk-test',
    basePath: '/v1',
    apiVersion: null,
  });
  if (call === undefined) throw new Error(`no ${operation}`);
  return { body: JSON.parse(call.body.toString()) as JsonObject, dropped: call.dropped ?? [] };
}

export function messages(model: string, ...given: readonly JsonObject[]): unknown {
  return asked({ model, messages: given }).body['messages'];
}

/** Fields beside the model and a plain question. */
export function fields(request: JsonObject): JsonObject {
  const { model: _model, messages: _messages, ...rest } = asked({ messages: [HELLO], ...request }).body;
  return rest;
}

export const HELLO = { role: 'user', content: 'Hello' };
