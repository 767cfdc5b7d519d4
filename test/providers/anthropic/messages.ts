import type { JsonObject } from '../../../src/providers/wire.ts';
import type { NativeEvent } from '../contract-drive.ts';

const HEAD = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-sonnet-4-5-20250929' };

/** A whole message as the API answers it. */
export function message(content: readonly JsonObject[], stopReason: string, usage: JsonObject): JsonObject {
  return { ...HEAD, content, stop_reason: stopReason, stop_sequence: null, usage };
}

/** The same message as the API streams it, its text and input in pieces. */
export function messageStream(
  content: readonly JsonObject[],
  stopReason: string,
  usage: JsonObject,
): readonly NativeEvent[] {
  const { output_tokens_details: _later, ...early } = usage;
  const begun = { ...HEAD, content: [], stop_reason: null, stop_sequence: null, usage: { ...early, output_tokens: 1 } };
  return [
    event('message_start', { message: begun }),
    ...content.flatMap(blockEvents),
    event('message_delta', { delta: { stop_reason: stopReason, stop_sequence: null }, usage }),
    event('message_stop', {}),
  ];
}

export function event(type: string, rest: JsonObject): NativeEvent {
  return { name: type, json: { type, ...rest } };
}

/** How one block is streamed: begun empty, brought in pieces, ended. */
export function blockEvents(block: JsonObject, index: number): NativeEvent[] {
  const deltas = deltasOf(block).map((delta) => event('content_block_delta', { index, delta }));
  return [
    event('content_block_start', { index, content_block: emptied(block) }),
    ...deltas,
    event('content_block_stop', { index }),
  ];
}

function emptied(block: JsonObject): JsonObject {
  switch (block['type']) {
    case 'text':
      return { ...block, text: '' };
    case 'thinking':
      return { ...block, thinking: '', signature: '' };
    case 'tool_use':
      return { ...block, input: {} };
    default:
      return block;
  }
}

function deltasOf(block: JsonObject): JsonObject[] {
  switch (block['type']) {
    case 'text':
      return pieces(String(block['text'])).map((text) => ({ type: 'text_delta', text }));
    case 'thinking':
      return [
        ...pieces(String(block['thinking'])).map((thinking) => ({ type: 'thinking_delta', thinking })),
        { type: 'signature_delta', signature: block['signature'] },
      ];
    case 'tool_use': {
      const input = JSON.stringify(block['input']);
      // A tool without arguments gets one empty piece.
      const texts = input === '{}' ? [''] : ['', ...pieces(input)];
      return texts.map((text) => ({ type: 'input_json_delta', partial_json: text }));
    }
    default:
      return [];
  }
}

function pieces(text: string): string[] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
}
