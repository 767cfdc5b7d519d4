import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mistakeInMessages } from '../../../src/simulator/vendors/anthropic/mistakes.ts';
import { asked } from './asked.ts';

const text = fc.oneof(fc.constantFrom('', ' ', '\n', 'Hello', 'Well, \n'), fc.string());
const content = fc.oneof(
  text,
  fc.constant(null),
  fc.array(
    fc.oneof(
      text.map((words) => ({ type: 'text', text: words })),
      fc.constant({ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBO' } }),
    ),
    { maxLength: 3 },
  ),
);
const plain = fc
  .record({ role: fc.constantFrom('system', 'developer', 'user', 'assistant'), content })
  .map((one) => [one]);

/** Calls of one turn under any ids, and all of their results in any order. */
const calls = fc
  .tuple(
    fc.uniqueArray(fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('a', 'functions.x:0')), {
      minLength: 1,
      maxLength: 3,
    }),
    content,
    fc.constantFrom('{}', '', '{"a":1}', '[', '7'),
    fc.boolean(),
  )
  .map(([ids, said, args, isReversed]) => {
    const made = ids.map((id) => ({ id, type: 'function', function: { name: 'clock', arguments: args } }));
    const results = ids.map((id) => ({ role: 'tool', tool_call_id: id, content: said }));
    return [{ role: 'assistant', content: said, tool_calls: made }, ...(isReversed ? results.reverse() : results)];
  });

const TOOL = { type: 'function', function: { name: 'clock' } };
const fields = fc.record(
  {
    model: fc.constantFrom('claude-3-5-sonnet', 'claude-sonnet-4-5', 'claude-opus-4-6', 'claude-opus-5', 'kimi-k3'),
    max_tokens: fc.integer({ min: 1, max: 200_000 }),
    temperature: fc.double({ min: 0, max: 2, noNaN: true }),
    stop: fc.array(text, { maxLength: 3 }),
    tools: fc.constantFrom([], [TOOL]),
    tool_choice: fc.constantFrom('auto', 'none', 'required', { type: 'function', function: { name: 'clock' } }),
    parallel_tool_calls: fc.boolean(),
    reasoning_effort: fc.constantFrom('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'),
    response_format: fc.constantFrom(
      { type: 'json_object' },
      { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object' } } },
    ),
    seed: fc.integer(),
    stream: fc.boolean(),
  },
  { requiredKeys: ['model'] },
);

it('whatever a client may say to OpenAI, the API has nothing to object to', () => {
  const conversation = fc.array(fc.oneof(plain, calls), { minLength: 1, maxLength: 6 }).map((turns) => turns.flat());
  fc.assert(
    fc.property(conversation, fields, (messages, chat) => {
      // A named tool has to be there for OpenAI, too.
      fc.pre(typeof chat.tool_choice !== 'object' || chat.tools?.length === 1);
      expect(mistakeInMessages(asked({ ...chat, messages }).body)).toBeNull();
    }),
    { numRuns: 2_000 },
  );
});
