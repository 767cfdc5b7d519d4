import { describe, expect, test } from 'vitest';
import { refusesValues } from '../../../src/providers/mapping/chat-values.ts';

const SAID = { role: 'user', content: 'Hello' };

describe('a value that a chat does not have', () => {
  test.each([
    ['messages[1].role', { messages: [SAID, { role: 'robot', content: 'x' }] }],
    ['messages[0].content', { messages: [{ role: 'user', content: 3 }] }],
    ['messages[0].content', { messages: [{ role: 'user', content: { text: 'x' } }] }],
    ['tool_choice', { tool_choice: 'any' }],
    ['tool_choice', { tool_choice: 7 }],
    ['response_format', { response_format: 'json' }],
    ['response_format', { response_format: { type: 'xml' } }],
    ['response_format', { response_format: { type: 'json_schema', schema: {} } }],
    ['stop', { stop: {} }],
    ['stop', { stop: ['END', 3] }],
  ])('is told by its place, %s: %j', (param, body) => {
    expect(refusesValues({ messages: [SAID], ...body })?.param).toBe(param);
  });

  test.each([
    {
      messages: [
        { role: 'assistant', content: null, tool_calls: [] },
        { role: 'tool', content: [] },
        { role: 'function' },
      ],
    },
    { tool_choice: null, response_format: null, stop: null },
    { tool_choice: { type: 'function', function: { name: 'f' } }, stop: 'END', response_format: { type: 'text' } },
    { tool_choice: 'required', stop: [], response_format: { type: 'json_schema', json_schema: { name: 'x' } } },
    { response_format: { type: 'json_object' } },
  ])('is none of these: %j', (body) => {
    expect(refusesValues({ messages: [SAID], ...body })).toBeNull();
  });
});
