import { describe, expect, it, test } from 'vitest';
import { mistral } from '../../../src/providers/mistral/mistral.ts';
import type { JsonObject } from '../../../src/providers/wire.ts';
import { meaningOfStream, meaningOfWhole } from '../contract-answers.ts';
import { bytesOf, drive, type NativeEvent, translateWhole } from '../contract-drive.ts';
import { answer, chunk, thought } from './chats.ts';

function streamed(...events: readonly NativeEvent[]): string {
  return drive(mistral, [bytesOf(events)]).text;
}

function whole(message: JsonObject, finishReason = 'stop'): JsonObject {
  return { id: 'c', created: 1, model: 'm', choices: [{ index: 0, message, finish_reason: finishReason }] };
}

function call(fields: JsonObject, name?: string, json?: unknown): JsonObject {
  return {
    ...fields,
    function: { ...(name === undefined ? {} : { name }), ...(json === undefined ? {} : { arguments: json }) },
  };
}

const PARIS = { name: 'weather', arguments: { city: 'Paris' } };
const ROME = { name: 'weather', arguments: { city: 'Rome' } };

describe('the content of an answer', () => {
  it('may be a list of thoughts, texts and references', () => {
    const content = [
      thought('Hm. '),
      { type: 'text', text: 'So' },
      { type: 'reference', reference_ids: [1] },
      thought('Ah.'),
    ];
    const meaning = { content: 'So', reasoning: 'Hm. Ah.', calls: [], finishReason: 'stop' };
    expect(meaningOfWhole(translateWhole(mistral, whole({ content })))).toEqual(meaning);
    expect(meaningOfStream(streamed(chunk({ content }), chunk({ content: '' }, 'stop')))).toEqual(meaning);
  });

  it('may hold a thought that is plain text', () => {
    expect(
      meaningOfWhole(translateWhole(mistral, whole({ content: [{ type: 'thinking', thinking: 'Hm' }] }))).reasoning,
    ).toBe('Hm');
  });

  it('may be missing', () => {
    expect(meaningOfWhole(translateWhole(mistral, whole({ content: null }))).content).toBe('');
  });
});

describe('calls in a stream', () => {
  const finished = chunk({ content: '' }, 'tool_calls');

  test.each([
    [
      'whole, without an index',
      [
        chunk({
          tool_calls: [
            call({ id: 'a' }, 'weather', '{"city":"Paris"}'),
            call({ id: 'b' }, 'weather', '{"city":"Rome"}'),
          ],
        }),
      ],
    ],
    [
      'one in each chunk, all with the index 0',
      [
        chunk({ tool_calls: [call({ id: 'a', index: 0 }, 'weather', '{"city":"Paris"}')] }),
        chunk({ tool_calls: [call({ id: 'b', index: 0 }, 'weather', '{"city":"Rome"}')] }),
      ],
    ],
    [
      'in pieces that have an index only',
      [
        chunk({ tool_calls: [call({ id: 'a', index: 0 }, 'weather', ''), call({ id: 'b', index: 1 }, 'weather', '')] }),
        chunk({ tool_calls: [call({ index: 1 }, '', '{"city":"Rome"}')] }),
        chunk({ tool_calls: [call({ index: 0 }, '', '{"city":"Paris"}')] }),
      ],
    ],
    [
      'in pieces that repeat the id, or say nothing',
      [
        chunk({ tool_calls: [call({ id: 'a' }, 'weather', '{"city"')] }),
        chunk({ tool_calls: [call({ id: 'a' }, 'weather', ':"Paris"')] }),
        chunk({ tool_calls: [call({}, undefined, '}')] }),
        chunk({ tool_calls: [call({ id: 'b' }, 'weather', { city: 'Rome' })] }),
      ],
    ],
    [
      'without ids, or with the word for none',
      [
        chunk({ tool_calls: [call({ id: 'null' }, 'weather', '{"city":"Paris"}')] }),
        chunk({ tool_calls: [call({}, 'weather', '{"city":"Rome"}')] }),
      ],
    ],
  ])('come to the same: %s', (_name, events) => {
    expect(meaningOfStream(streamed(...events, finished)).calls).toEqual([PARIS, ROME]);
  });

  test('keep the ids that the vendor gave them', () => {
    expect(streamed(chunk({ tool_calls: [call({ id: 'a1B2c3D4e' }, 'clock', '')] }), finished)).toContain(
      '"id":"a1B2c3D4e"',
    );
  });
});

describe('a call in a whole answer', () => {
  it('may lack an id and a name', () => {
    const meaning = meaningOfWhole(
      translateWhole(mistral, whole({ content: '', tool_calls: [call({}), {}] }, 'tool_calls')),
    );
    expect(meaning).toMatchObject({
      content: null,
      calls: [
        { name: '', arguments: {} },
        { name: '', arguments: {} },
      ],
    });
  });
});

describe('a stream', () => {
  const second = (delta: JsonObject, finishReason: string | null = null): NativeEvent => {
    const json = chunk({}).json as JsonObject;
    return { json: { ...json, choices: [{ index: 1, delta, finish_reason: finishReason }] } };
  };

  it('of several choices ends when all of them have', () => {
    const all = [chunk({ content: 'A' }), second({ content: 'B' }), chunk({ content: '' }, 'stop')];
    expect(streamed(...all)).not.toContain('[DONE]');
    expect(streamed(...all, second({ content: '' }, 'stop'))).toMatch(/\[DONE\]\n\n$/);
  });

  it('says nothing after its finish reason', () => {
    expect(streamed(chunk({ content: 'A' }, 'stop'), chunk({ content: 'B' }, 'stop'))).not.toContain('"B"');
  });

  it('that has not begun has not ended', () => {
    expect(streamed({ json: {} })).toBe('');
  });

  it('without a head of its own is told under what was asked for', () => {
    const bare = { json: { choices: [{ delta: { content: 'A' }, finish_reason: 'stop' }] } };
    expect(streamed(bare)).toContain('"created":1767225600,"model":"asked-for"');
    expect(translateWhole(mistral, { choices: [] })).toMatchObject({ created: 1_767_225_600, model: 'asked-for' });
  });

  test.each([
    [{ object: 'error', message: 'Overloaded', code: '3505', type: 'service_tier_capacity_exceeded' }],
    [{ error: { message: 'Overloaded' } }],
  ])('may hold an error in any wrap: %j', (json) => {
    expect(streamed(chunk({ content: 'A' }), { json })).toMatch(/data: \{"error":\{.*"Overloaded".*\n\n$/);
  });
});

describe('an answer that broke off', () => {
  it('is none, whole or streamed', () => {
    const broken = whole({ content: 'Onc' }, 'error');
    const error = { message: 'The model stopped with an error.', type: 'error', param: null, code: null };
    expect(mistral.readError(broken)).toEqual(error);
    expect(mistral.classify({ status: 200, headers: {}, json: broken })).toEqual({ kind: 'failed' });
    expect(streamed(chunk({ content: 'Onc' }, 'error'))).toBe(`data: ${JSON.stringify({ error })}\n\n`);
  });

  it('is not taken for one that is complete', () => {
    expect(mistral.readError(answer({ content: 'Hi' }).whole)).toBeNull();
  });
});
