import { describe, expect, it } from 'vitest';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { sendRaw } from './raw-client.ts';
import { ASK, start } from './running.ts';

const organizations = [{ keys: ['sk-sim-1'], limits: { rpm: 4, concurrency: 2 } }];

describe('the ledger over HTTP', () => {
  it('tells what was admitted, in order, and what was refused and why', async () => {
    const { url, get, chat } = await start({ organizations }, new FakeClock());
    await sendRaw(url, { body: { ...ASK, metadata: { seq: 1 } }, headers: { 'x-request-id': 'first' } });
    for (let sent = 0; sent < 4; sent++) await chat({ metadata: { seq: sent + 2 } });
    const ledger = (await get('/_sim/ledger')).json();
    expect(ledger).toMatchObject({
      received: 5,
      admitted: 4,
      completed: 4,
      rateLimited: 1,
      refused: { rpm: 1 },
      keys: [{ key: 'key-1', organization: 'org-sim-1', admitted: 4, refused: 1, input: 32, output: 96 }],
      requests: [{ seq: 1, requestId: 'first' }, { seq: 2, requestId: null }, { seq: 3 }, { seq: 4 }],
      refusals: [{ seq: 5, limit: 'rpm', requested: 1, waitMs: 15_000 }],
    });
    expect(JSON.stringify(ledger)).not.toContain('sk-sim-1');
    const short = (await get('/_sim/ledger?requests=0')).json();
    expect(short).toMatchObject({ admitted: 4, requests: [], refusals: [] });
  });

  it('tells how much of each limit was used, at most and of what there was', async () => {
    const clock = new FakeClock();
    const { chat, simulator } = await start({ organizations: [{ keys: ['sk-sim-1'], limits: { rpm: 4 } }] }, clock);
    for (let sent = 0; sent < 3; sent++) await chat();
    clock.advance(60_000);
    await chat();
    expect(simulator.ledger().limits[0]).toMatchObject({
      ...{ scope: 'org-sim-1/gpt-4o', name: 'rpm', charged: 4, supply: 8, utilisation: 0.5, peak: 3 },
      windows: [{ charged: 3, supply: 8, utilisation: 0.375 }],
    });
  });

  it('begins anew, with full limits or with the levels as they are', async () => {
    const clock = new FakeClock();
    const { chat, post, simulator } = await start({ organizations, faults: [{ kind: '500', nth: [3] }] }, clock);
    await chat();
    await chat();
    clock.advance(1000);
    await post('/_sim/reset', { keepLevels: true });
    expect(simulator.ledger()).toMatchObject({ uptimeMs: 0, received: 0, limits: [{ charged: 0 }, {}, {}, {}] });
    expect(simulator.ledger().limits[0]?.level).toBeCloseTo(2 + 4 / 60);
    await post('/_sim/reset', {});
    expect(simulator.ledger().limits[0]?.level).toBe(4);
    // Rules that count requests count from the reset.
    expect([(await chat()).status, (await chat()).status, (await chat()).status]).toEqual([200, 200, 500]);
  });

  it('leaves out of its figures what was admitted before a reset', async () => {
    const clock = new FakeClock();
    const { chat, simulator } = await start({ answer: { firstByteMs: 50 } }, clock);
    const answer = chat();
    while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
    simulator.reset();
    clock.advance(50);
    expect((await answer).status).toBe(200);
    expect(simulator.ledger()).toMatchObject({ admitted: 0, completed: 0, inFlight: 0 });
  });

  it('lists no more requests than it is told to', async () => {
    const { chat, simulator } = await start({ maxLogged: 2 });
    for (let seq = 1; seq <= 4; seq++) await chat({ metadata: { seq } });
    expect(simulator.ledger().requests.map(({ seq }) => seq)).toEqual([3, 4]);
    expect(simulator.ledger().admitted).toBe(4);
  });
});

describe('the control routes', () => {
  it('say that the simulator lives', async () => {
    const { get } = await start({}, new FakeClock());
    expect((await get('/_sim/health')).json()).toEqual({ status: 'ok', uptime_ms: 0 });
  });

  it('set faults while it runs', async () => {
    const { post, chat } = await start();
    const set = await post('/_sim/faults', [{ kind: '503', rate: 1 }]);
    expect(set.json()).toEqual({ status: 'ok', faults: [{ kind: '503', rate: 1 }] });
    expect((await chat()).status).toBe(503);
    await post('/_sim/faults', []);
    expect((await chat()).status).toBe(200);
  });

  it.each([
    ['no list', {}, 'faults must be a list'],
    ['no rule', [1], 'faults[0]: a rule is an object'],
    ['no known kind', [{ kind: 'hang' }, { kind: 'hung' }], 'faults[1]: "kind" must be one of refuse,'],
    ['an unknown condition', [{ kind: 'hang', often: 1 }], '"often" is not known; there are keys,'],
    ['a list that is none', [{ kind: 'hang', keys: 'key-1' }], '"keys" must be a list.'],
    ['a number that is none', [{ kind: 'hang', rate: '1' }], '"rate" must be a number'],
    ['a number below 0', [{ kind: 'hang', rate: -1 }], '"rate" must be a number'],
  ])('refuse faults with %s', async (_, faults, message) => {
    const { post } = await start();
    const answer = await post('/_sim/faults', faults);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(JSON.stringify(message).slice(1, -1));
  });

  it('name themselves to whom asks for another', async () => {
    const { get, post } = await start();
    expect((await get('/_sim/nope')).status).toBe(404);
    expect((await post('/_sim/ledger', null)).text).toContain('GET /_sim/ledger');
  });
});

describe('a client that leaves', () => {
  it('stops the answer, which is charged as far as it came', async () => {
    const clock = new FakeClock();
    const limits = { tpm: 1000, concurrency: 1 };
    const { url, simulator } = await start(
      { organizations: [{ keys: ['sk-sim-1'], limits }], answer: { tokensPerSecond: 10, outputTokens: 50 } },
      clock,
    );
    await sendRaw(url, { body: { ...ASK, stream: true, max_tokens: 90 }, until: '"This"' });
    while (simulator.ledger().inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(simulator.ledger()).toMatchObject({
      aborted: 1,
      limits: [{ charged: 9, level: 991 }, { level: 1 }, {}, {}],
    });
    expect(clock.pendingTimers).toBe(0);
  });

  it('stops a whole answer as far as it would have come', async () => {
    const clock = new FakeClock();
    const { url, simulator } = await start({ answer: { tokensPerSecond: 10, outputTokens: 50 } }, clock);
    const stop = new AbortController();
    const init = { method: 'POST', headers: { authorization: 'Bearer sk-sim-1' }, body: JSON.stringify(ASK) };
    const answer = fetch(`${url}/v1/chat/completions`, { ...init, signal: stop.signal });
    while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1000);
    stop.abort();
    await expect(answer).rejects.toThrow();
    while (simulator.ledger().inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(simulator.ledger().requests).toMatchObject([{ outcome: 'aborted', output: 10 }]);
  });

  it('while it does not read, is not generated for', async () => {
    const { url, simulator } = await start({ answer: { outputTokens: 200_000 } });
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-sim-1' },
      body: JSON.stringify({ ...ASK, stream: true }),
    });
    expect(simulator.ledger()).toMatchObject({ inFlight: 1 });
    await response.body?.cancel();
    while (simulator.ledger().inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
    const [request] = simulator.ledger().requests;
    expect(request?.outcome).toBe('aborted');
    expect(request?.output).toBeLessThan(200_000);
  });
});

it('a port that is taken is an error', async () => {
  const first = await start();
  const second = createSimulator({ organizations }, new FakeClock(), Math.random);
  await expect(second.listen(Number(new URL(first.url).port))).rejects.toThrow('EADDRINUSE');
});
