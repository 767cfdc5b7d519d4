import { describe, expect, test } from 'vitest';
import { ClientBudget } from '../../../src/proxy/budgets/client-budget.ts';
import { budgetPeriodAt } from '../../../src/setup/budget-period.ts';
import { apiError, COMPLETION, HELLO, RATE_LIMITED, ROLE, STOP, USAGE } from '../../support/chat-answers.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type BenchOptions, type BenchTarget, type Chat, ProxyBench } from '../../support/proxy-bench.ts';
import { ReplyDouble } from '../../support/reply-double.ts';
import { ScriptedTransport } from '../../support/scripted-transport.ts';

/** A chat is expected to be 10 tokens in and 20 out, so 50 dollars; COMPLETION comes to 12 and 3, so 18. */
const PRICE = { input: 1e6, cachedInput: 1e6, output: 2e6 };
const EXPECTED = 50;
const REAL = 18;
const PRICED: BenchTarget = { changes: { price: PRICE } };

interface Setting extends Partial<BenchOptions> {
  readonly usd?: number;
}

function setUp({ usd = 100, ...options }: Setting = {}) {
  const clock = new FakeClock();
  const transport = new ScriptedTransport();
  const budget = new ClientBudget({
    terms: { usd, per: 'day' },
    periodAt: budgetPeriodAt,
    wallNow: () => clock.wallNow(),
    saved: null,
    onUnwritten: () => undefined,
  });
  const services = { budgetOf: () => budget };
  const bench = new ProxyBench({ clock, transport, targets: [PRICED], services, ...options });
  const figures = () => {
    const { spentUsd, reservedUsd } = budget.view();
    return { spent: spentUsd, reserved: reservedUsd };
  };
  return { clock, transport, bench, figures };
}

function costs(bench: ProxyBench): readonly (number | null)[] {
  return bench.summaries.map(({ costUsd }) => costUsd);
}

describe('a request of a client with a budget', () => {
  test('reserves what is expected of it and is settled with what was counted', async () => {
    const { bench, transport, figures } = setUp();
    const chat = bench.chat();
    const call = await transport.call();
    expect(figures()).toEqual({ spent: 0, reserved: EXPECTED });
    call.answer(COMPLETION);
    await chat.done;
    expect(figures()).toEqual({ spent: REAL, reserved: 0 });
    expect(costs(bench)).toEqual([REAL]);
  });

  test('reserves the dearest target before it waits, and the one that it goes to when it is sent', async () => {
    const dear = { ...PRICE, input: 4e6 };
    const targets = [
      { ...PRICED, keys: ['a'], rpm: 1 },
      { changes: { price: dear }, name: 'dear', keys: ['b'], rpm: 1 },
    ];
    const { bench, transport, figures, clock } = setUp({ targets, usd: 1_000, maxWaitMs: 600_000 });
    const chats = [bench.chat(), bench.chat(), bench.chat()];
    await transport.call(2);
    expect(figures()).toEqual({ spent: 0, reserved: 50 + 80 + 80 });
    for (const call of transport.calls) call.answer(COMPLETION);
    clock.advance(61_000);
    (await transport.call(3)).answer(COMPLETION);
    await Promise.all(chats.map(({ done }) => done));
    expect(figures()).toEqual({ spent: 18 + (12 * 4 + 6) + 18, reserved: 0 });
  });

  test('goes only to targets that there is room for, and waits for them', async () => {
    const free = { input: 0, cachedInput: 0, output: 0 };
    const targets = [
      { ...PRICED, keys: ['a'] },
      { changes: { price: free }, name: 'free', keys: ['b'], rpm: 1 },
    ];
    const { bench, transport, figures, clock } = setUp({ targets, usd: 80, maxWaitMs: 600_000 });
    const chats = [bench.chat(), bench.chat(), bench.chat()];
    await transport.call(2);
    expect(figures()).toEqual({ spent: 0, reserved: EXPECTED });
    for (const call of transport.calls) call.answer(COMPLETION);
    clock.advance(61_000);
    (await transport.call(3)).answer(COMPLETION);
    await Promise.all(chats.map(({ done }) => done));
    const sentWith = transport.calls.map(({ request }) => request.headers['authorization']);
    expect(sentWith).toEqual(['Bearer sk-a', 'Bearer sk-b', 'Bearer sk-b']);
    expect(figures()).toEqual({ spent: REAL, reserved: 0 });
  });

  test('is refused while others have reserved the rest, and is not sent', async () => {
    const { bench, transport, figures } = setUp({ usd: 99 });
    const first = bench.chat();
    const second = bench.chat();
    await second.done;
    expect(second.error).toMatchObject({ code: 'client_budget_exceeded', retry: 'soon' });
    (await transport.call()).answer(COMPLETION);
    await first.done;
    expect(transport.calls).toHaveLength(1);
    expect(figures()).toEqual({ spent: REAL, reserved: 0 });
  });

  test('may spend the budget to within one request', async () => {
    const { bench, transport, figures } = setUp({ usd: 100 });
    transport.onSend = (call) => call.answer(COMPLETION);
    const served: Chat[] = [];
    for (let turn = 0; turn < 8; turn += 1) {
      const chat = bench.chat();
      await chat.done;
      served.push(chat);
    }
    // 18 each, and expected to be 50, later less: the fifth may be the last, and what is left is less than one.
    const passed = served.filter(({ error }) => error === null).length;
    expect(served.map(({ error }) => error === null)).toEqual(served.map((_chat, turn) => turn < passed));
    expect(served.at(-1)?.error).toMatchObject({ code: 'client_budget_exceeded', retry: 'never' });
    expect(figures()).toEqual({ spent: passed * REAL, reserved: 0 });
    expect(100 - passed * REAL).toBeLessThan(EXPECTED);
  });

  test('costs nothing to count', async () => {
    const { bench, transport, figures } = setUp({ usd: 0 });
    transport.onSend = (call) => call.answer({ input_tokens: 12 });
    const chat = bench.chat({ messages: [{ role: 'user', content: 'Hello' }] }, { operation: 'count_tokens' });
    await chat.done;
    expect(chat.error).toBeNull();
    expect(figures()).toEqual({ spent: 0, reserved: 0 });
  });

  test('is refused where it could go to a target without a price', async () => {
    const { bench, transport, figures } = setUp({ targets: [PRICED, { name: 'other', keys: ['b'] }] });
    const chat = bench.chat();
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'model_not_allowed', status: 403 });
    expect(transport.calls).toEqual([]);
    expect(figures()).toEqual({ spent: 0, reserved: 0 });
  });
});

describe('nothing stays reserved', () => {
  test('of a client that leaves the queue', async () => {
    const { bench, transport, figures } = setUp({ targets: [{ ...PRICED, rpm: 1 }], maxWaitMs: 600_000 });
    const first = bench.chat();
    const reply = new ReplyDouble();
    const second = bench.chat({}, { reply });
    (await transport.call()).answer(COMPLETION);
    await first.done;
    expect(figures()).toEqual({ spent: REAL, reserved: EXPECTED });
    reply.leave();
    await second.done;
    expect(figures()).toEqual({ spent: REAL, reserved: 0 });
    expect(costs(bench)).toEqual([REAL, null]);
  });

  test('of a client that leaves a stream, which has cost what was relayed', async () => {
    const { bench, transport, figures } = setUp();
    const reply = new ReplyDouble();
    const chat = bench.chat({ stream: true }, { reply });
    const call = await transport.call();
    call.stream().data(ROLE + HELLO);
    reply.leave();
    await chat.done;
    const { spent, reserved } = figures();
    expect(reserved).toBe(0);
    // The prompt, and more than none of an answer that was not all.
    expect(spent).toBeGreaterThan(10);
    expect(spent).toBeLessThan(EXPECTED);
  });

  test('of a client that leaves a whole answer, of which nobody has seen how far it was', async () => {
    const { bench, transport, figures } = setUp();
    const reply = new ReplyDouble();
    const chat = bench.chat({}, { reply });
    (await transport.call()).sent();
    reply.leave();
    await chat.done;
    expect(figures()).toEqual({ spent: EXPECTED, reserved: 0 });
  });

  test('of a stream that breaks after its first words', async () => {
    const { bench, transport, figures } = setUp();
    const chat = bench.chat({ stream: true });
    (await transport.call())
      .stream()
      .data(ROLE + HELLO)
      .fail('broken');
    await chat.done;
    expect(figures().reserved).toBe(0);
    expect(figures().spent).toBeGreaterThan(10);
  });

  test('of a stream that told its usage before it broke', async () => {
    const { bench, transport, figures } = setUp();
    const chat = bench.chat({ stream: true });
    (await transport.call())
      .stream()
      .data(ROLE + HELLO + STOP + USAGE)
      .fail('broken');
    await chat.done;
    expect(figures()).toEqual({ spent: REAL, reserved: 0 });
  });

  test.each([
    ['a refusal', 429, RATE_LIMITED],
    ['a failure', 500, apiError('out of order')],
    ['a mistake of the request', 400, apiError('wrong')],
  ])('after %s, which cost nothing', async (_what, status, body) => {
    const { bench, transport, figures } = setUp({ settings: { attempts: 1 } });
    transport.onSend = (call) => call.answer(body, status);
    const chat = bench.chat();
    await chat.done;
    expect(chat.error).not.toBeNull();
    expect(figures()).toEqual({ spent: 0, reserved: 0 });
    expect(costs(bench)).toEqual([0]);
  });

  test('after a connection that was never made', async () => {
    const { bench, transport, figures } = setUp({ settings: { attempts: 1 } });
    transport.onSend = (call) => call.fail('connect', false);
    await bench.chat().done;
    expect(figures()).toEqual({ spent: 0, reserved: 0 });
  });

  test('after an error in the queue', async () => {
    const { bench, figures } = setUp({ targets: [{ ...PRICED, tpm: 5 }] });
    const chat = bench.chat({ max_tokens: 500 });
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'request_exceeds_limit' });
    expect(figures()).toEqual({ spent: 0, reserved: 0 });
  });
});

describe('several attempts', () => {
  test('cost what each of them came to', async () => {
    const targets = [{ ...PRICED, keys: ['a', 'b'] }];
    const { bench, transport, figures } = setUp({ targets, usd: 200 });
    const chat = bench.chat();
    (await transport.call(1)).sent().fail('first_byte_timeout');
    const second = await transport.call(2);
    expect(figures()).toEqual({ spent: EXPECTED, reserved: EXPECTED });
    second.answer(COMPLETION);
    await chat.done;
    expect(chat.error).toBeNull();
    expect(figures()).toEqual({ spent: EXPECTED + REAL, reserved: 0 });
    expect(costs(bench)).toEqual([EXPECTED + REAL]);
  });

  test('go on where it costs no more than the first has left', async () => {
    const free = { input: 0, cachedInput: 0, output: 0 };
    const targets = [
      { ...PRICED, keys: ['a', 'b'] },
      { changes: { price: free }, name: 'free', keys: ['c'] },
    ];
    const { bench, transport, figures } = setUp({ targets, usd: 80 });
    const chat = bench.chat();
    (await transport.call(1)).sent().fail('broken');
    const second = await transport.call(2);
    expect(second.request.headers['authorization']).toBe('Bearer sk-c');
    second.answer(COMPLETION);
    await chat.done;
    expect(chat.error).toBeNull();
    expect(figures()).toEqual({ spent: EXPECTED, reserved: 0 });
  });

  test('end where the first has left no room for a second', async () => {
    const { bench, transport, figures } = setUp({ targets: [{ ...PRICED, keys: ['a', 'b'] }], usd: 80 });
    const chat = bench.chat();
    (await transport.call(1)).sent().fail('broken');
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'client_budget_exceeded', retry: 'never' });
    expect(transport.calls).toHaveLength(1);
    expect(figures()).toEqual({ spent: EXPECTED, reserved: 0 });
  });
});

describe('several choices that are asked for one by one', () => {
  const targets = [{ changes: { price: PRICE, supports: new Set<never>() } }];

  test('are each reserved and paid, and told as one', async () => {
    const { bench, transport, figures } = setUp({ targets, usd: 200 });
    const chat = bench.chat({ n: 3 });
    await transport.call(3);
    expect(figures()).toEqual({ spent: 0, reserved: 3 * EXPECTED });
    for (const call of transport.calls) call.answer(COMPLETION);
    await chat.done;
    expect(figures()).toEqual({ spent: 3 * REAL, reserved: 0 });
    expect(costs(bench)).toEqual([3 * REAL]);
  });

  test('are none of them given where there is no room for all', async () => {
    const { bench, figures } = setUp({ targets, usd: 120 });
    const chat = bench.chat({ n: 3 });
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'client_budget_exceeded' });
    expect(figures()).toEqual({ spent: 0, reserved: 0 });
  });
});

describe('the cost of a request', () => {
  test('is told where nobody has a budget too', async () => {
    const { bench, transport } = setUp({ services: { budgetOf: () => null } });
    transport.onSend = (call) => call.answer(COMPLETION);
    await bench.chat().done;
    expect(costs(bench)).toEqual([REAL]);
  });

  test('is not known where the target has no price', async () => {
    const { bench, transport } = setUp({ targets: [{}], services: { budgetOf: () => null } });
    transport.onSend = (call) => call.answer(COMPLETION);
    await bench.chat().done;
    expect(costs(bench)).toEqual([null]);
  });
});
