import { describe, expect, test } from 'vitest';
import { COMPLETION, HELLO, ROLE } from '../support/chat-answers.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type BenchOptions, ProxyBench } from '../support/proxy-bench.ts';
import { ReplyDouble } from '../support/reply-double.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';

function setUp(options: Partial<BenchOptions> = {}) {
  const clock = new FakeClock();
  const transport = new ScriptedTransport();
  const bench = new ProxyBench({ clock, transport, ...options });
  return { clock, transport, bench };
}

describe('a transport that reports before it has returned the call', () => {
  test('may bring a whole answer', async () => {
    const { bench, transport } = setUp();
    transport.onSend = (call) => call.answer(COMPLETION);
    const chat = bench.chat();
    await chat.done;
    expect(chat.reply.json).toEqual(COMPLETION);
    expect(bench.scheduler.openLeases).toBe(0);
  });

  test('may fail', async () => {
    const { bench, transport } = setUp({ settings: { attempts: 1 } });
    transport.onSend = (call) => call.fail('invalid_request', false);
    const chat = bench.chat();
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'upstream_error' });
    expect(bench.booked()).toBe(0);
  });

  test('has its call aborted when the client leaves meanwhile', async () => {
    const { bench, transport } = setUp();
    const reply = new ReplyDouble();
    transport.onSend = (call) => {
      call.sent();
      reply.leave();
      call.head().data('{');
    };
    const chat = bench.chat({}, { reply });
    await chat.done;
    expect(transport.calls[0]?.orders).toEqual(['abort']);
    expect(reply.isHeadSent).toBe(false);
    expect(bench.scheduler.openLeases).toBe(0);
  });

  test('may bring a stream that the client does not read', async () => {
    const { bench, transport } = setUp();
    const reply = new ReplyDouble();
    reply.isReading = false;
    transport.onSend = (call) => void call.stream().data(ROLE + HELLO.replace('Hello', 'x'.repeat(1_200_000)));
    const chat = bench.chat({ stream: true }, { reply });
    const call = await transport.call();
    reply.drain();
    call.fail('broken');
    await chat.done;
    expect(reply.isEnded).toBe(true);
  });
});

describe('an attempt that is over', () => {
  test('hears nothing of what the upstream still says', async () => {
    const { bench, transport } = setUp({ settings: { attempts: 1 } });
    const chat = bench.chat();
    const call = (await transport.call()).sent().head(500).data('x'.repeat(70_000));
    await chat.done;
    call.isOver = false;
    call.head(200).data('more').end();
    call.isOver = false;
    call.fail('broken');
    expect(chat.error).toMatchObject({ code: 'upstream_error' });
    expect(bench.summaries.length).toBe(1);
  });

  test.each([
    ['a refusal', 500, {}],
    ['a stream', 200, { 'content-type': 'text/event-stream' }],
  ])('leaves no timer behind when the client left in %s', async (_name, status, headers) => {
    const { bench, transport, clock } = setUp();
    const chat = bench.chat({ stream: true });
    (await transport.call()).sent().head(status, headers).data('data: [DON');
    chat.reply.leave();
    await chat.done;
    bench.scheduler.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  test('is booked as reserved when a bug kept it from being sent', async () => {
    const prepare = (): never => {
      throw new TypeError('no such field');
    };
    const { bench, clock } = setUp({ targets: [{ changes: { wires: { chat: { prepare } } } }] });
    const chat = bench.chat();
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'internal_error' });
    expect(bench.scheduler.openLeases).toBe(0);
    clock.advance(1_000);
    expect(bench.booked()).toBe(1);
  });

  test('cannot happen on a route that nobody described', async () => {
    const { bench } = setUp();
    (bench.model.endpoints as Map<unknown, unknown>).clear();
    const chat = bench.chat();
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'internal_error' });
    expect(bench.scheduler.openLeases).toBe(0);
  });
});
