import { cohere } from '../../../src/providers/cohere/cohere.ts';
import type { JsonObject, Operation, PreparedCall } from '../../../src/providers/wire.ts';

export const HELLO = { role: 'user', content: 'Hello' };

export function prepared(request: JsonObject, operation: Operation = 'chat', basePath = ''): PreparedCall {
  const model = typeof request['model'] === 'string' ? request['model'] : 'command-r7b-12-2024';
  const call = cohere.wires[operation]?.prepare({
    body: Buffer.from(JSON.stringify({ ...request, model })),
    model,
    isStreaming: false,
    apiKey: 'sk-test',
    basePath,
    apiVersion: null,
  });
  if (call === undefined) throw new Error(`no ${operation}`);
  return call;
}

/** What the API is sent; `model` is taken from the request. */
export function sent(request: JsonObject, operation: Operation = 'chat'): JsonObject {
  return JSON.parse(prepared(request, operation).body.toString()) as JsonObject;
}

export function messages(...given: readonly JsonObject[]): unknown {
  return sent({ messages: given })['messages'];
}

/** Fields beside the model and a plain question. */
export function fields(request: JsonObject): JsonObject {
  const { model: _model, messages: _messages, ...rest } = sent({ messages: [HELLO], ...request });
  return rest;
}

export function dropped(request: JsonObject, operation: Operation = 'chat'): readonly string[] {
  return prepared({ messages: [HELLO], ...request }, operation).dropped ?? [];
}

export function refusedParam(request: JsonObject, operation: Operation = 'chat'): string | null {
  const unsupported = cohere.wires[operation]?.refuses?.({ messages: [HELLO], ...request }, 'command-r7b-12-2024');
  return unsupported?.param ?? null;
}
