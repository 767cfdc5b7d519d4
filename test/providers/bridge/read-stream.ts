import type { JsonObject } from '../../../src/providers/wire.ts';

type Members = Record<string, unknown>;

/** The message that the events of a stream add up to, put together as SDKs do. */
export function messageIn(stream: string): JsonObject {
  let message: Members = {};
  const blocks: Members[] = [];
  const inputs: string[] = [];
  for (const json of eventsIn(stream)) {
    const { type, index = 0, delta = {} } = json as { type: string; index?: number; delta?: Members };
    const block = blocks[index] ?? {};
    if (type === 'message_start') message = { ...(json['message'] as Members) };
    if (type === 'content_block_start') blocks[index] = { ...(json['content_block'] as Members) };
    if (type === 'message_delta') {
      message = { ...message, ...delta, usage: { ...(message['usage'] as Members), ...(json['usage'] as Members) } };
    }
    if (type !== 'content_block_delta') continue;
    if ('text' in delta) block['text'] = `${block['text']}${delta['text']}`;
    if ('thinking' in delta) block['thinking'] = `${block['thinking']}${delta['thinking']}`;
    if ('signature' in delta) block['signature'] = delta['signature'];
    if ('partial_json' in delta) inputs[index] = `${inputs[index] ?? ''}${delta['partial_json']}`;
  }
  for (const [index, input] of inputs.entries())
    if (input) Object.assign(blocks[index] ?? {}, { input: JSON.parse(input) });
  return { ...message, content: blocks };
}

/** Names and data of events have to say the same, or SDKs would pass over one of them. */
export function eventsIn(stream: string): JsonObject[] {
  return stream
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => {
      const [, name, data = ''] = /^event: (\S+)\ndata: (.*)$/s.exec(event) ?? [];
      const json = JSON.parse(data) as JsonObject;
      if (name !== 'error' && json['type'] !== name) throw new Error(`an event ${name} says ${data}`);
      return json;
    });
}
