import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Prefixes, prefixesOf } from '../../../src/proxy/affinity/prefixes.ts';

const system = { role: 'system', content: 'You are kind.' };
const hello = { role: 'user', content: 'Hello' };
const answer = { role: 'assistant', content: 'Hi!' };
const more = { role: 'user', content: 'How are you?' };

function of(
  messages: readonly unknown[],
  { instructions = null, seed = '' }: { instructions?: unknown; seed?: string } = {},
): Prefixes {
  return prefixesOf({ instructions, messages }, seed);
}

describe('the beginnings of a conversation', () => {
  it('are those of the turns before', () => {
    const first = of([system, hello]);
    const second = of([system, hello, answer, more]);
    expect(second.earlier).toContain(first.whole);
    expect(second.earlier[0]).toBe(of([system, hello, answer]).whole);
    expect(second.earlier).not.toContain(second.whole);
  });

  it('do not include what only instructs', () => {
    expect(of([system])).toEqual({ whole: null, earlier: [], hasAnswers: false });
    expect(of([system, { role: 'developer', content: 'Be brief.' }, hello]).earlier).toEqual([]);
  });

  it('differ by instructions, wherever they stand', () => {
    const others = of([{ role: 'system', content: 'You are rude.' }, hello]);
    expect(of([system, hello]).whole).not.toBe(others.whole);
    expect(of([hello], { instructions: 'a' }).whole).not.toBe(of([hello], { instructions: 'b' }).whole);
  });

  it('differ by seed, by role, and by where a message ends', () => {
    expect(of([hello], { seed: 'a' }).whole).not.toBe(of([hello], { seed: 'b' }).whole);
    expect(of([hello]).whole).not.toBe(of([{ ...hello, role: 'assistant' }]).whole);
    const split = (a: string, b: string) =>
      of([
        { role: 'user', content: a },
        { role: 'user', content: b },
      ]).whole;
    expect(split('ab', 'c')).not.toBe(split('a', 'bc'));
  });

  it('differ by what tools were called with', () => {
    const call = (text: string) => ({
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c', function: { name: 'f', arguments: text } }],
    });
    expect(of([hello, call('1')]).whole).not.toBe(of([hello, call('2')]).whole);
    expect(of([hello, { type: 'function_call', name: 'f', output: 1 }]).whole).not.toBe(
      of([hello, { type: 'function_call', name: 'f', output: 2 }]).whole,
    );
  });

  it('are the same when a text comes as a part, when the mark of a cache moves on, and when an item says that it is one', () => {
    const marked = { role: 'user', content: [{ type: 'text', text: 'Hello', cache_control: { type: 'ephemeral' } }] };
    const item = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] };
    const image = { type: 'image', source: { type: 'url', url: 'https://a.example/1.png' } };
    const withMark = { ...image, cache_control: { type: 'ephemeral' } };
    for (const same of [marked, item]) expect(of([same]).whole).toBe(of([hello]).whole);
    expect(of([{ role: 'user', content: [withMark] }]).whole).toBe(of([{ role: 'user', content: [image] }]).whole);
  });

  it('are kept for the last 32 messages, so that a turn with many calls still finds the one before', () => {
    const calls = Array.from({ length: 31 }, (_, index) => ({ role: 'tool', content: `${index}` }));
    const long = of([hello, answer, ...calls]);
    expect(long.earlier).toHaveLength(32);
    expect(long.earlier).toContain(of([hello]).whole);
    expect(of([hello, answer, ...calls, more]).earlier).not.toContain(of([hello]).whole);
  });

  it('tell first turns from later ones', () => {
    expect(of([system, hello]).hasAnswers).toBe(false);
    expect(of([hello, answer, more]).hasAnswers).toBe(true);
    expect(of([hello, { type: 'reasoning', summary: [] }]).hasAnswers).toBe(true);
  });

  it('take whatever stands among messages', () => {
    expect(of(['text', 7, null, hello]).whole).not.toBe(of(['text', 8, null, hello]).whole);
  });
});

it('a conversation that goes on always begins as it was, and one that differs somewhere before does not', () => {
  const message = fc.record({ role: fc.constantFrom('user', 'assistant', 'tool'), content: fc.string() });
  const conversation = fc.array(message, { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(conversation, conversation, fc.nat(), (before, after, at) => {
      const { whole } = of(before);
      expect(of([...before, ...after]).earlier).toContain(whole);
      const changed = before.map((each, index) =>
        index === at % before.length ? { ...each, content: `${each.content}!` } : each,
      );
      expect(of([...changed, ...after]).earlier).not.toContain(whole);
    }),
  );
});
