import { describe, expect, it, test } from 'vitest';
import { cohere } from '../../../src/providers/cohere/cohere.ts';
import type { JsonObject } from '../../../src/providers/wire.ts';
import { meaningOfStream, meaningOfWhole } from '../contract-answers.ts';
import { bytesOf, drive, type NativeEvent, translateWhole } from '../contract-drive.ts';
import { answer, ending, event, opening } from './chats.ts';

const CITATION = { start: 0, end: 4, text: 'Rain', sources: [{ type: 'tool', id: 'weather_0:0' }] };

function streamed(...events: readonly NativeEvent[]): string {
  return drive(cohere, [bytesOf(events)]).text;
}

function whole(message: JsonObject, extra: JsonObject = {}): JsonObject {
  return translateWhole(cohere, { id: 'c0', message, finish_reason: 'COMPLETE', ...extra });
}

function text(piece: string, extra: JsonObject = {}): NativeEvent {
  return event('content-delta', { index: 0, delta: { message: { content: { text: piece } } }, ...extra });
}

function callStart(index: number, fields: JsonObject): NativeEvent {
  return event('tool-call-start', { index, delta: { message: { tool_calls: fields } } });
}

function callPiece(index: number, json: unknown): NativeEvent {
  return event('tool-call-delta', { index, delta: { message: { tool_calls: { function: { arguments: json } } } } });
}

const CLOCK = { id: 'clock_0', type: 'function', function: { name: 'clock', arguments: '' } };
const CALLED = ending({ finish_reason: 'TOOL_CALL' });

describe('a call without arguments', () => {
  const end = event('tool-call-end', { index: 0 });

  test.each([
    ['with nothing', [callStart(0, CLOCK), end]],
    ['with an empty object', [callStart(0, CLOCK), callPiece(0, '{}'), end]],
    ['with the word for nothing', [callStart(0, CLOCK), callPiece(0, 'null'), end]],
    ['with the word in pieces', [callStart(0, CLOCK), callPiece(0, 'nu'), callPiece(0, 'll'), end]],
    ['with nothing at all', [callStart(0, CLOCK), callPiece(0, null), end]],
    ['in its first event', [callStart(0, { ...CLOCK, function: { name: 'clock', arguments: 'null' } }), end]],
    ['and without an end of its own', [callStart(0, CLOCK)]],
  ])('has an empty object of them, streamed %s', (_name, events) => {
    const { calls } = meaningOfStream(streamed(opening(), ...events, CALLED));
    expect(calls).toEqual([{ name: 'clock', arguments: {} }]);
  });

  test.each(['', 'null', '{}'])('has an empty object of them, whole as "%s"', (json) => {
    const call = { ...CLOCK, function: { name: 'clock', arguments: json } };
    expect(meaningOfWhole(whole({ tool_calls: [call] })).calls).toEqual([{ name: 'clock', arguments: {} }]);
  });
});

describe('calls in a stream', () => {
  it('are numbered in the order in which they came, whatever the vendor’s numbers are', () => {
    const events = [
      callStart(3, { ...CLOCK, id: 'a' }),
      callPiece(3, '{"a":1}'),
      callStart(3, { ...CLOCK, id: 'b' }),
      callPiece(3, '{"b":1}'),
    ];
    const { calls } = meaningOfStream(streamed(opening(), ...events, CALLED));
    expect(calls.map((call) => call.arguments)).toEqual([{ a: 1 }, { b: 1 }]);
  });

  it('have an id and a name even where none was sent', () => {
    expect(meaningOfStream(streamed(callStart(0, {}), CALLED)).calls).toEqual([{ name: '', arguments: {} }]);
  });

  it('pass arguments on that only begin like the word for nothing', () => {
    const events = [callStart(0, CLOCK), callPiece(0, 'n'), callPiece(0, 'o'), event('tool-call-end', { index: 0 })];
    expect(streamed(opening(), ...events)).toContain('"arguments":"no"');
    expect(streamed(opening(), callStart(0, CLOCK), callPiece(0, 'nul'), CALLED)).toContain('"arguments":"nul"');
  });

  it('that were never begun say nothing', () => {
    expect(streamed(opening(), callPiece(0, '{}'), event('tool-call-end', { index: 0 }))).not.toContain('tool_calls');
  });
});

describe('citations', () => {
  it('go with the message', () => {
    const message = { content: [{ type: 'text', text: 'Rain' }], citations: [CITATION] };
    expect(whole(message)).toMatchObject({ choices: [{ message: { content: 'Rain', citations: [CITATION] } }] });
  });

  it('come in one piece at the end of a stream', () => {
    const cited = event('citation-start', { index: 0, delta: { message: { citations: CITATION } } });
    const uncited = event('citation-start', { index: 1, delta: { message: {} } });
    const events = [text('Rain'), cited, event('citation-end', { index: 0 }), uncited, ending()];
    expect(streamed(opening(), ...events)).toContain(`"delta":{"citations":[${JSON.stringify(CITATION)}]}`);
  });
});

describe('log probabilities', () => {
  const item = { text: 'Rain', token_ids: [1, 2], logprobs: [-0.5, -0.25] };
  const told = { content: [{ token: 'Rain', logprob: -0.75, bytes: null, top_logprobs: [] }], refusal: null };

  it('are told by piece of text', () => {
    expect(whole({}, { logprobs: [item] })).toMatchObject({ choices: [{ logprobs: told }] });
    const events = [text('Rain', { logprobs: item }), ending()];
    expect(streamed(opening(), ...events)).toContain(`"logprobs":${JSON.stringify(told)}`);
  });

  it('that say nothing are none', () => {
    expect(whole({}, { logprobs: [{ logprobs: ['x'] }] })).toMatchObject({
      choices: [{ logprobs: { content: [{ token: '', logprob: 0 }] } }],
    });
    expect(whole({}, { logprobs: 'x' })).toMatchObject({ choices: [{ logprobs: null }] });
  });
});

describe('a stream', () => {
  it('says nothing after its end', () => {
    expect(streamed(opening(), text('Hi'), ending(), text('again'))).not.toContain('again');
  });

  it('may begin without its first event', () => {
    expect(meaningOfStream(streamed(text('Hi'), ending())).content).toBe('Hi');
  });

  it('may name its events outside of them', () => {
    const named = { name: 'content-delta', json: { delta: { message: { content: { text: 'Hi' } } } } };
    expect(streamed(named)).toContain('"content":"Hi"');
  });

  test.each([
    [ending({ finish_reason: 'ERROR' }), 'The model stopped with ERROR.'],
    [ending({ finish_reason: 'TIMEOUT', error: 'too slow' }), 'too slow'],
    [{ json: { id: 'e0', message: 'internal server error' } }, 'internal server error'],
  ])('that ends by an error has no other end: %j', (last, message) => {
    const said = streamed(opening(), text('Hi'), last);
    expect(said).toMatch(/\n\ndata: \{"error":\{[^\n]*\n\n$/);
    expect(said).toContain(message);
  });
});

describe('an answer that broke off', () => {
  it.each(['ERROR', 'TIMEOUT'])('by %s is none', (reason) => {
    const json = answer({ text: 'Onc' }, reason).whole;
    expect(cohere.readError(json)).toMatchObject({ message: `The model stopped with ${reason}.` });
    expect(cohere.classify({ status: 200, headers: {}, json })).toEqual({ kind: 'failed' });
  });
});

describe('the usage', () => {
  const usage = (given: JsonObject) => cohere.readUsage({ usage: given }, null);
  const known = { inputTokens: 12, cachedInputTokens: 0, outputTokens: 3, reasoningTokens: 0 };

  it('is what was really read, with the vendor’s preamble', () => {
    const units = { input_tokens: 12, output_tokens: 3 };
    const tokens = { input_tokens: 507, output_tokens: 4 };
    expect(usage({ billed_units: units, tokens })).toEqual({ ...known, inputTokens: 507, outputTokens: 4 });
    expect(usage({ billed_units: units })).toEqual(known);
  });

  it('has no more cached than read', () => {
    expect(usage({ tokens: { input_tokens: 12, output_tokens: 3 }, cached_tokens: 20 })?.cachedInputTokens).toBe(12);
  });

  it.each([{}, { tokens: {} }, { tokens: { input_tokens: -1 } }, { tokens: { output_tokens: 1e12 } }])(
    'is not there in %j',
    (given) => {
      expect(usage(given)).toBeNull();
    },
  );

  it('of half an answer is taken as it is', () => {
    expect(usage({ tokens: { output_tokens: 3 } })).toEqual({ ...known, inputTokens: 0 });
    expect(usage({ tokens: { input_tokens: 12 } })).toEqual({ ...known, outputTokens: 0 });
  });
});

describe('vectors', () => {
  const translator = cohere.wires.embeddings?.translator?.({ model: 'embed-v4.0', createdS: 0, inputTokens: 9 });

  it('come as OpenAI lists them, with what was billed', () => {
    const json = { embeddings: { float: [[1, 0.5], [0]] }, meta: { billed_units: { input_tokens: 2 } } };
    expect(translator?.whole(json)).toEqual({
      object: 'list',
      data: [
        { object: 'embedding', index: 0, embedding: [1, 0.5] },
        { object: 'embedding', index: 1, embedding: [0] },
      ],
      model: 'embed-v4.0',
      usage: { prompt_tokens: 2, total_tokens: 2 },
    });
    expect([translator?.event({ name: null, json: {} }), translator?.end('')]).toEqual(['', '']);
  });

  it('that are none are empty', () => {
    expect(translator?.whole({ embeddings: { float: ['x'] } })).toMatchObject({
      data: [{ embedding: [] }],
      usage: { prompt_tokens: 9 },
    });
  });
});
