import type { JsonObject } from '../../../src/providers/wire.ts';
import type { NativeAnswer } from '../contract.ts';
import type { NativeEvent } from '../contract-drive.ts';

/** What is billed leaves out the vendor's preamble, which the limits count. */
const USED = {
  billed_units: { input_tokens: 12, output_tokens: 19 },
  tokens: { input_tokens: 30, output_tokens: 20 },
  cached_tokens: 10,
};

export interface Said {
  readonly text?: string;
  readonly thinking?: string;
  readonly plan?: string;
  readonly calls?: readonly (readonly [name: string, json: string])[];
}

/** One answer as this vendor writes it, whole and as its events. */
export function answer({ text = '', thinking = '', plan = '', calls = [] }: Said, reason = 'COMPLETE'): NativeAnswer {
  const toolCalls = calls.map(([name, json], index) => ({
    id: `${name}_${index}`,
    type: 'function',
    function: { name, arguments: json },
  }));
  const content = [
    ...(thinking === '' ? [] : [{ type: 'thinking', thinking }]),
    ...(text === '' ? [] : [{ type: 'text', text }]),
  ];
  const message = {
    role: 'assistant',
    ...(content.length === 0 ? {} : { content }),
    ...(plan === '' ? {} : { tool_plan: plan }),
    ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
  };
  return {
    whole: { id: 'c0', message, finish_reason: reason, usage: USED },
    stream: [
      opening(),
      ...content.flatMap((block, index) => blockEvents(block, index)),
      ...pieces(plan).map((piece) => event('tool-plan-delta', { delta: { message: { tool_plan: piece } } })),
      ...toolCalls.flatMap((call, index) => callEvents(call, index)),
      ending({ finish_reason: reason, usage: USED }),
      { json: '[DONE]' },
    ],
  };
}

export function event(type: string, fields: JsonObject): NativeEvent {
  return { name: type, json: { type, ...fields } };
}

export function opening(): NativeEvent {
  const message = { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] };
  return event('message-start', { id: 'c0', delta: { message } });
}

export function ending(delta: JsonObject = { finish_reason: 'COMPLETE', usage: USED }): NativeEvent {
  return event('message-end', { delta });
}

function blockEvents({ type, ...said }: { readonly type: string }, index: number): NativeEvent[] {
  const [[name, value] = ['text', '']] = Object.entries(said) as [string, string][];
  const delta = (content: JsonObject) => ({ index, delta: { message: { content } } });
  return [
    event('content-start', delta({ type, [name]: '' })),
    ...pieces(value).map((piece) => event('content-delta', delta({ [name]: piece }))),
    event('content-end', { index }),
  ];
}

interface Call {
  readonly id: string;
  readonly type: string;
  readonly function: { readonly name: string; readonly arguments: string };
}

function callEvents(call: Call, index: number): NativeEvent[] {
  const delta = (calls: JsonObject) => ({ index, delta: { message: { tool_calls: calls } } });
  return [
    event('tool-call-start', delta({ ...call, function: { name: call.function.name, arguments: '' } })),
    ...pieces(call.function.arguments).map((piece) => {
      return event('tool-call-delta', delta({ function: { arguments: piece } }));
    }),
    event('tool-call-end', { index }),
  ];
}

function pieces(text: string): string[] {
  return text === '' ? [] : [text.slice(0, 3), text.slice(3)];
}
