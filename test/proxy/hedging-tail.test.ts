import { expect, test } from 'vitest';
import { HeardTimes } from '../../src/proxy/hedging/heard-times.ts';
import { Hedging } from '../../src/proxy/hedging/hedging.ts';
import { DONE, HELLO, ROLE, STOP } from '../support/chat-answers.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ProxyBench } from '../support/proxy-bench.ts';
import { ReplyDouble } from '../support/reply-double.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';

const STREAMS = 1_500;
const PAUSE_MS = 20;
const USUAL_MS = 80;
const SLOW_MS = 2_000;

interface Run {
  readonly p99Ms: number;
  readonly calls: number;
}

/** Every twentieth call or so is late, whoever makes it. */
function isLate(call: number): boolean {
  return (call * 7_919) % 20 === 3;
}

/** Notes when its first byte came. */
class TimedReply extends ReplyDouble {
  readonly #clock: FakeClock;
  readonly #since: number;
  firstByteMs: number | null = null;

  constructor(clock: FakeClock) {
    super();
    this.#clock = clock;
    this.#since = clock.now();
  }

  override write(chunk: Uint8Array | string): boolean {
    this.firstByteMs ??= this.#clock.now() - this.#since;
    return super.write(chunk);
  }
}

/** A stream every 20 ms in simulated time, on a key with plenty and one that is there for second sends. */
async function run(hedge: { afterMs: number | null } | null, secondRpm = 60_000): Promise<Run> {
  const clock = new FakeClock();
  const transport = new ScriptedTransport();
  transport.onSend = (call) => {
    const lateMs = isLate(transport.calls.length) ? SLOW_MS : USUAL_MS;
    call.sent();
    clock.schedule(lateMs, () => {
      call.head(200, { 'content-type': 'text/event-stream' }).data(`${ROLE}${HELLO}${STOP}${DONE}`).end();
    });
  };
  const tpm = 100_000_000;
  const targets = [
    { name: 'acme', keys: ['first'], rpm: 60_000, tpm },
    { name: 'other', keys: ['second'], rpm: secondRpm, tpm },
  ];
  const bench = new ProxyBench({ clock, transport, targets });
  const { scheduler } = bench;
  if (hedge)
    Object.assign(bench.services, {
      hedging: new Hedging({ clock, scheduler, times: new HeardTimes(), maxShare: 0.05, ...hedge }),
    });
  const chats = [];
  for (let number = 0; number < STREAMS; number += 1) {
    chats.push(bench.chat({ stream: true, seed: number }, { reply: new TimedReply(clock) }));
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(PAUSE_MS);
  }
  for (let late = 0; late < 200; late += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(PAUSE_MS);
  }
  await Promise.all(chats.map(({ done }) => done));
  expect(scheduler.openLeases).toBe(0);
  const times = chats.map(({ reply }) => (reply as TimedReply).firstByteMs as number).sort((a, b) => a - b);
  return { p99Ms: times[Math.floor(times.length * 0.99)] as number, calls: transport.calls.length };
}

test('with one head in twenty two seconds late, hedging halves the 99th percentile for at most 5 % more calls', async () => {
  const without = await run(null);
  expect(without).toEqual({ p99Ms: SLOW_MS, calls: STREAMS });
  for (const afterMs of [250, null]) {
    const hedged = await run({ afterMs });
    expect(hedged.p99Ms).toBeLessThanOrEqual(without.p99Ms / 2);
    expect(hedged.calls).toBeGreaterThan(STREAMS);
    expect(hedged.calls).toBeLessThanOrEqual(STREAMS * 1.05);
  }
});

test('where a limit of the other route would be left with under 30 % of its capacity nothing is sent twice', async () => {
  expect(await run({ afterMs: 250 }, 1)).toEqual({ p99Ms: SLOW_MS, calls: STREAMS });
});
