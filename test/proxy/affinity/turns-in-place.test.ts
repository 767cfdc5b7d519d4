import { describe, expect, it, test } from 'vitest';
import { doorOf } from '../../../src/proxy/doors/doors.ts';
import { COMPLETION, DONE, HELLO, STOP } from '../../support/chat-answers.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type BenchOptions, type ChatOptions, ProxyBench } from '../../support/proxy-bench.ts';
import { ScriptedTransport } from '../../support/scripted-transport.ts';

const user = (content: string) => ({ role: 'user', content });
const FIRST = [user('Hello')];
const SECOND = [...FIRST, { role: 'assistant', content: 'Hi' }, user('More')];

/** Failover over two keys, asked one thing after the other; what comes of it is the list of keys that were tried. */
class Talk {
  readonly transport = new ScriptedTransport();
  readonly #clock = new FakeClock();
  readonly #bench: ProxyBench;
  #sent = 0;

  constructor(options: Partial<BenchOptions> = {}) {
    const targets = [{ keys: ['first', 'second'] }];
    this.#bench = new ProxyBench({ clock: this.#clock, transport: this.transport, targets, ...options });
  }

  get keysTried(): string[] {
    return this.transport.calls.map(({ request }) =>
      String(request.headers['authorization']).replace('Bearer sk-', ''),
    );
  }

  /** `fails`: at the first key, before it is served. */
  async say(
    body: object,
    { fails = false, ...options }: ChatOptions & { readonly fails?: boolean } = {},
  ): Promise<void> {
    const chat = this.#bench.chat(body, options);
    if (fails) (await this.transport.call(++this.#sent)).answer('', 500);
    (await this.transport.call(++this.#sent)).answer(COMPLETION);
    await chat.done;
    expect(chat.error).toBeNull();
    this.#clock.advance(60_000);
  }

  /** Streams, and the client leaves behind the first words. */
  async stop(body: object): Promise<void> {
    const chat = this.#bench.chat({ ...body, stream: true });
    const call = await this.transport.call(++this.#sent);
    call.sent().head(200, { 'content-type': 'text/event-stream' }).data(HELLO);
    chat.reply.leave();
    call.data(STOP).data(DONE);
    await chat.done;
  }
}

describe('a conversation', () => {
  test('stays with the key that served it', async () => {
    const talk = new Talk();
    await talk.say({ messages: FIRST }, { fails: true });
    await talk.say({ messages: SECOND });
    await talk.say({ messages: [user('Somebody else')] });
    expect(talk.keysTried).toEqual(['first', 'second', 'second', 'first']);
  });

  test('of another client does not', async () => {
    const talk = new Talk();
    await talk.say({ messages: FIRST }, { fails: true });
    await talk.say({ messages: SECOND }, { client: 'batch' });
    expect(talk.keysTried).toEqual(['first', 'second', 'first']);
  });

  test('does not where it is switched off', async () => {
    const talk = new Talk({ affinityMs: null });
    await talk.say({ messages: FIRST }, { fails: true });
    await talk.say({ messages: SECOND });
    expect(talk.keysTried).toEqual(['first', 'second', 'first']);
  });

  test('stays too when its client stopped the answer in the middle', async () => {
    const talk = new Talk();
    await talk.say({ messages: FIRST }, { fails: true });
    await talk.stop({ messages: SECOND });
    await talk.say({ messages: [...SECOND, { role: 'assistant', content: 'Hello th' }, user('Enough')] });
    expect(talk.keysTried).toEqual(['first', 'second', 'second', 'second']);
  });
});

describe('the turns of a body', () => {
  it('are messages, with what Anthropic calls system apart', () => {
    expect(doorOf('chat').turns?.({ messages: FIRST })).toEqual({ instructions: null, messages: FIRST });
    const body = { system: 'Be kind', messages: FIRST };
    expect(doorOf('messages').turns?.(body)).toEqual({ instructions: 'Be kind', messages: FIRST });
  });

  it('are items of the Responses API, or the one that a text stands for', () => {
    const { turns } = doorOf('responses');
    expect(turns?.({ input: FIRST, instructions: 'Be kind' })).toEqual({ instructions: 'Be kind', messages: FIRST });
    expect(turns?.({ input: 'Hello' })).toEqual({ instructions: undefined, messages: FIRST });
    expect(turns?.({ previous_response_id: 'resp_1' })?.messages).toEqual([]);
  });

  it('are none where requests have nothing to do with each other', () => {
    for (const operation of ['completions', 'embeddings', 'count_tokens'] as const) {
      expect(doorOf(operation).turns).toBeUndefined();
    }
  });
});
