import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { Affinity, type Conversation, type Follower } from '../../../src/proxy/affinity/affinity.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const say = (content: string) => ({ role: 'user', content });
const answer = (content: string) => ({ role: 'assistant', content });

let clock: FakeClock;
let affinity: Affinity;

beforeEach(() => {
  clock = new FakeClock();
  affinity = new Affinity({ clock });
});

function follow(messages: readonly unknown[], about: Partial<Follower> = {}): Conversation {
  const turns = { instructions: null, messages };
  return affinity.follow({ client: 'web', model: 'm', keptMs: 60_000, turns, body: {}, user: null, ...about });
}

const first = [say('Hello')];
const second = [...first, answer('Hi'), say('More')];
const third = [...second, answer('Fine'), say('Bye')];

describe('affinity', () => {
  it('sends the next turn to the route that served the last one', () => {
    follow(first).servedBy('a');
    expect(follow(second).prefers).toBe('a');
    follow(second).servedBy('b');
    expect(follow(third).prefers).toBe('b');
  });

  it('finds an earlier turn when the last one was never served, or was said anew', () => {
    follow(first).servedBy('a');
    expect(follow(third).prefers).toBe('a');
    follow(second).servedBy('b');
    expect(follow([...first, answer('Hi'), say('Something else')]).prefers).toBe('a');
  });

  it('takes a first turn for new, also where another has begun with the same words', () => {
    follow(first).servedBy('a');
    expect(follow(first).prefers).toBeNull();
    follow([{ role: 'system', content: 'Be kind' }]).servedBy('a');
    expect(follow([{ role: 'system', content: 'Be kind' }, say('Hello')]).prefers).toBeNull();
  });

  it('knows nothing of other clients, models and users', () => {
    follow(first, { user: 'u' }).servedBy('a');
    expect(follow(second, { user: 'u' }).prefers).toBe('a');
    expect(follow(second, { user: 'u', client: 'batch' }).prefers).toBeNull();
    expect(follow(second, { user: 'u', model: 'n' }).prefers).toBeNull();
    expect(follow(second, { user: 'v' }).prefers).toBeNull();
  });

  it('goes by the cache key where no beginning is known, first turns too', () => {
    const body = { prompt_cache_key: 'k' };
    follow(first, { body }).servedBy('a');
    expect(follow([say('Other')], { body }).prefers).toBe('a');
    expect(follow([say('Other')], { body: { prompt_cache_key: 'l' } }).prefers).toBeNull();
    expect(follow([say('Other')], { body: { prompt_cache_key: 7 } }).prefers).toBeNull();
  });

  it('goes by the user only behind the first answer: a user that all requests name must not bind them all', () => {
    follow(first, { user: 'u' }).servedBy('a');
    expect(follow([say('Other')], { user: 'u' }).prefers).toBeNull();
    expect(follow([say('Cut'), answer('short'), say('More')], { user: 'u' }).prefers).toBe('a');
  });

  it('forgets after the time that was said', () => {
    follow(first).servedBy('a');
    clock.advance(59_999);
    expect(follow(second).prefers).toBe('a');
    clock.advance(1);
    expect(follow(second).prefers).toBeNull();
  });

  it('lets go of what is over, and of the oldest where there are too many', () => {
    affinity = new Affinity({ clock, capacity: 10 });
    for (let index = 0; index < 30; index += 1) follow([say(`${index}`)]).servedBy('a');
    expect(affinity.size).toBe(10);
    expect(follow([say('29'), answer('Hi')]).prefers).toBe('a');
    expect(follow([say('19'), answer('Hi')]).prefers).toBeNull();
    clock.advance(60_000);
    follow(first).servedBy('a');
    expect(affinity.size).toBe(1);
  });

  it('remembers nothing of what only instructs', () => {
    follow([{ role: 'system', content: 'Be kind' }]).servedBy('a');
    expect(affinity.size).toBe(0);
  });
});

it('a conversation always finds the route of its longest beginning that was served, and nobody else finds it', () => {
  const message = fc.record({ role: fc.constantFrom('user', 'assistant'), content: fc.string({ maxLength: 3 }) });
  const conversation = fc.array(message, { minLength: 2, maxLength: 8 });
  const lengths = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 4 });
  fc.assert(
    fc.property(conversation, lengths, (messages, served) => {
      affinity = new Affinity({ clock });
      const known = served.filter((length) => length < messages.length);
      for (const length of known) follow(messages.slice(0, length)).servedBy(`route ${length}`);
      const longest = Math.max(...known);
      expect(follow(messages).prefers).toBe(known.length === 0 ? null : `route ${longest}`);
      expect(follow(messages, { client: 'batch' }).prefers).toBeNull();
    }),
  );
});
