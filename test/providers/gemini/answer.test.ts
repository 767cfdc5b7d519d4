import { describe, expect, test } from 'vitest';
import { gemini } from '../../../src/providers/gemini/gemini.ts';
import type { JsonObject } from '../../../src/providers/wire.ts';
import { bytesOf, drive, translateWhole } from '../contract-drive.ts';

function candidate(parts: readonly JsonObject[], fields: JsonObject = {}): JsonObject {
  return { content: { role: 'model', parts }, ...fields };
}

function response(...candidates: readonly JsonObject[]): JsonObject {
  return { candidates, responseId: 'r-1' };
}

interface Chunk {
  readonly id: string;
  readonly error?: unknown;
  readonly choices: readonly { readonly index: number; readonly delta: JsonObject; readonly logprobs: unknown }[];
}

function streamed(...events: readonly JsonObject[]): { readonly text: string; readonly chunks: readonly Chunk[] } {
  const { text } = drive(gemini, [bytesOf(events.map((json) => ({ json })))]);
  const chunks = text.split('\n\n').flatMap((event) => {
    return event.startsWith('data: {') ? [JSON.parse(event.slice('data: '.length)) as Chunk] : [];
  });
  return { text, chunks };
}

function whole(json: JsonObject): JsonObject {
  return translateWhole(gemini, json);
}

const CALL = { functionCall: { name: 'look', args: { at: 1 } } };
const stop = { finishReason: 'STOP' };

describe('ids', () => {
  test('are the answer’s own, and those of its calls are made of it', () => {
    expect(whole(response(candidate([CALL, CALL], stop)))).toMatchObject({
      id: 'chatcmpl-r-1',
      choices: [{ message: { tool_calls: [{ id: 'call_r-1_0' }, { id: 'call_r-1_1' }] } }],
    });
  });

  test('are the vendor’s where it gives them', () => {
    const call = { functionCall: { ...CALL.functionCall, id: 'fc_9' } };
    expect(whole(response(candidate([call], stop)))).toMatchObject({
      choices: [{ message: { tool_calls: [{ id: 'fc_9' }] } }],
    });
  });

  test('are made of the time where the answer has none', () => {
    expect(whole({ candidates: [candidate([CALL], stop)] })).toMatchObject({
      id: 'chatcmpl-1767225600',
      choices: [{ message: { tool_calls: [{ id: 'call_1767225600_0' }] } }],
    });
  });

  test('of calls are no longer than OpenAI’s', () => {
    const chat = whole({ ...response(candidate([CALL], stop)), responseId: 'x'.repeat(90) });
    expect(JSON.stringify(chat)).toMatch(/"call_x{28}_0"/);
  });
});

describe('several answers', () => {
  const [first, second] = [
    { index: 0, ...stop },
    { index: 1, finishReason: 'MAX_TOKENS' },
  ];

  test('are in the order of their numbers', () => {
    const chat = whole(response(candidate([{ text: 'b' }], second), candidate([{ text: 'a' }, CALL], first)));
    expect(chat).toMatchObject({
      choices: [
        { index: 0, message: { content: 'a', tool_calls: [{ id: 'call_r-1_0' }] }, finish_reason: 'tool_calls' },
        { index: 1, message: { content: 'b' }, finish_reason: 'length' },
      ],
    });
  });

  test('have a role and an end each in a stream, which ends when all have', () => {
    const begun = response(candidate([{ text: 'a' }], { index: 0 }), candidate([CALL], { index: 1 }));
    const half = streamed(begun, response(candidate([], first)));
    expect(half.text).not.toContain('[DONE]');
    const { text, chunks } = streamed(begun, response(candidate([], first), candidate([], second)));
    expect(chunks.filter(({ choices }) => choices[0]?.delta['role']).map(({ choices }) => choices[0]?.index)).toEqual([
      0, 1,
    ]);
    expect(text).toContain('"id":"call_r-1_1_0"');
    expect(text).toMatch(/"index":0,.*"stop".*"index":1,.*"length".*\[DONE\]/s);
  });
});

describe('a signature', () => {
  const kept = { extra_content: { google: { thought_signature: 'sig' } } };

  test('of a call is kept with the call', () => {
    const json = response(candidate([{ ...CALL, thoughtSignature: 'sig' }], stop));
    expect(whole(json)).toMatchObject({ choices: [{ message: { tool_calls: [kept] } }] });
    expect(streamed(json).chunks[1]?.choices[0]?.delta).toMatchObject({ tool_calls: [kept] });
  });

  test('of a text is kept with the message, even where the text is empty', () => {
    const json = response(candidate([{ text: 'Hi' }, { text: '', thoughtSignature: 'sig' }], stop));
    expect(whole(json)).toMatchObject({ choices: [{ message: { content: 'Hi', ...kept } }] });
    expect(streamed(json).chunks[2]?.choices[0]?.delta).toEqual(kept);
  });

  test('may stand in a part of its own', () => {
    const json = response(candidate([{ text: 'Hi' }, { thoughtSignature: 'sig' }], stop));
    expect(whole(json)).toMatchObject({ choices: [{ message: { content: 'Hi', ...kept } }] });
  });
});

describe('probabilities', () => {
  const token = { token: 'é', tokenId: 7, logProbability: -0.5 };
  const logprobsResult = { chosenCandidates: [token, {}], topCandidates: [{ candidates: [token] }] };
  const logprobs = {
    content: [
      {
        token: 'é',
        logprob: -0.5,
        bytes: [195, 169],
        top_logprobs: [{ token: 'é', logprob: -0.5, bytes: [195, 169] }],
      },
      { token: '', logprob: 0, bytes: [], top_logprobs: [] },
    ],
    refusal: null,
  };

  test('are told as OpenAI tells them', () => {
    const json = response(candidate([{ text: 'é' }], { ...stop, logprobsResult }));
    expect(whole(json)).toMatchObject({ choices: [{ logprobs }] });
    expect(streamed(json).chunks.map(({ choices }) => choices[0]?.logprobs)).toContainEqual(logprobs);
  });
});

describe('a prompt that is blocked', () => {
  const blocked = { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, usageMetadata: { promptTokenCount: 9 } };

  test('has an answer without content', () => {
    expect(gemini.readError(blocked)).toBeNull();
    expect(whole(blocked)).toMatchObject({
      choices: [{ message: { content: '' }, finish_reason: 'content_filter' }],
      usage: { prompt_tokens: 9, completion_tokens: 0 },
    });
    expect(streamed(blocked).text).toMatch(/"content_filter".*"prompt_tokens":9.*\[DONE\]/s);
  });

  test('is not one that merely was looked at', () => {
    expect(streamed({ promptFeedback: { blockReason: 'BLOCK_REASON_UNSPECIFIED' } }).text).toBe('');
  });
});

describe('an answer that is empty', () => {
  test.each([{}, { usageMetadata: { promptTokenCount: 9 } }])('is an error: %j', (json) => {
    expect(gemini.readError(json)).toMatchObject({ message: 'The answer is empty.' });
    expect(streamed(json).text).toBe('');
  });

  test('is not one without words, which a model may well give', () => {
    const json = response(candidate([{ inlineData: {} }], stop));
    expect(gemini.readError(json)).toBeNull();
    expect(whole(json)).toMatchObject({ choices: [{ message: { content: '' }, finish_reason: 'stop' }] });
  });
});

describe('a reason for the end that says nothing', () => {
  test('is none', () => {
    const json = response(candidate([{ text: 'Hi' }], { finishReason: 'FINISH_REASON_UNSPECIFIED' }));
    expect(streamed(json).text).not.toContain('[DONE]');
    expect(whole(json)).toMatchObject({ choices: [{ finish_reason: 'stop' }] });
  });
});

describe('a call that the model botched', () => {
  test.each(['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'TOO_MANY_TOOL_CALLS'])('(%s) is an error', (word) => {
    const json = response(candidate([], { finishReason: word }));
    expect(gemini.readError(json)).toMatchObject({ message: expect.stringContaining(word), code: word });
    expect(gemini.classify({ status: 200, headers: {}, json })).toEqual({ kind: 'failed' });
    const { chunks, text } = streamed(json);
    expect(gemini.classify({ status: 200, headers: {}, json: chunks[0] })).toEqual({ kind: 'failed' });
    expect(text).not.toContain('[DONE]');
  });
});

describe('the end of a stream', () => {
  const said = response(candidate([{ text: 'Hi' }], stop));

  test('is not the word for it, which older models repeat', () => {
    const { text } = streamed(said, response(candidate([{ text: ' there' }], stop)));
    expect(text.match(/"finish_reason":"stop"/g)).toHaveLength(1);
    expect(text).toMatch(/" there".*"stop".*\[DONE\]\n\n$/s);
  });

  test('with an error behind the events is no end', () => {
    const error = { error: { code: 503, message: 'overloaded', status: 'UNAVAILABLE' } };
    const bytes = Buffer.concat([bytesOf([{ json: said }]), Buffer.from(JSON.stringify(error, null, 2))]);
    const { text } = drive(gemini, [bytes]);
    expect(text).toMatch(/data: {"error":{"code":503.*}}\n\n$/);
    expect(text).not.toContain('[DONE]');
  });

  test('of a list of responses instead of events is its last bracket', () => {
    const { text } = drive(gemini, [Buffer.from(JSON.stringify([response(candidate([{ text: 'Hey' }])), said]))]);
    expect(text).toMatch(/"Hey".*"Hi".*"stop".*\[DONE\]/s);
  });

  test('with an error in a list is no end', () => {
    const { text } = streamed(said, [{ error: { code: 429, message: 'x' } }] as unknown as JsonObject);
    expect(text).toMatch(/data: {"error":{"code":429,"message":"x"}}\n\n$/);
  });
});

describe('the words of an error', () => {
  test('are the vendor’s, where OpenAI’s have their place', () => {
    const error = { code: 400, message: 'No contents.', status: 'INVALID_ARGUMENT' };
    const told = { message: 'No contents.', type: null, param: null, code: 'INVALID_ARGUMENT' };
    expect(gemini.readError({ error })).toEqual(told);
    expect(gemini.readError([{ error }])).toEqual(told);
  });
});
