import { describe, expect, it } from 'vitest';
import { FakeClock } from '../support/fake-clock.ts';
import { ASK, start } from './running.ts';

/** A clock whose minutes begin with the test. */
const minuteClock = (): FakeClock => new FakeClock(0, Date.UTC(2026, 0, 1));

const limited = (limits: object) => ({ organizations: [{ name: 'org-a', keys: ['sk-sim-1'], limits }] });

describe('rate headers', () => {
  it('say what is left after this request and when the limits are full again', async () => {
    const { chat } = await start(limited({ rpm: 60, tpm: 6000 }), minuteClock());
    const { headers } = await chat({ max_tokens: 92 });
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '59',
      'x-ratelimit-reset-requests': '1s',
      'x-ratelimit-limit-tokens': '6000',
      'x-ratelimit-remaining-tokens': '5900',
      'x-ratelimit-reset-tokens': '1s',
    });
  });

  it('tell of minutes, or of the day where the vendor does', async () => {
    const limits = limited({ rpm: 10, rpd: 1000, tpm: { limit: 600, sliceMs: 1000 } });
    const openai = await start({ ...limits, headers: 'openai' }, minuteClock());
    expect((await openai.chat()).headers.get('x-ratelimit-limit-requests')).toBe('10');
    const groq = await start({ ...limits, headers: 'groq' }, minuteClock());
    const { headers } = await groq.chat();
    expect(headers.get('x-ratelimit-limit-requests')).toBe('1000');
    expect(headers.get('x-ratelimit-reset-requests')).toBe('1m26.4s');
    expect(headers.get('x-ratelimit-remaining-tokens')).toBe('592');
  });

  it('tell of the limit with least left where several are alike', async () => {
    const keys = [{ key: 'sk-sim-1', limits: { rpm: 5 } }];
    const { chat } = await start({ organizations: [{ keys, limits: { rpm: 10 }, sharedLimits: { rpm: 7 } }] });
    expect((await chat()).headers.get('x-ratelimit-limit-requests')).toBe('5');
  });

  it('are missing at a vendor that sends none', async () => {
    const { chat } = await start({ ...limited({ rpm: 1 }), headers: 'none' });
    for (const answer of [await chat(), await chat()]) {
      expect([...answer.headers.keys()].filter((name) => name.startsWith('x-ratelimit'))).toEqual([]);
    }
  });
});

describe('a refusal', () => {
  it('says limit, used and requested, and when it would fit', async () => {
    const limits = { tpm: { limit: 600, charge: 'keep' } };
    const { chat } = await start(limited(limits), minuteClock());
    await chat({ max_tokens: 392 });
    const answer = await chat({ max_tokens: 292 });
    expect(answer.status).toBe(429);
    expect(answer.json()['error']).toEqual({
      message:
        'Rate limit reached for gpt-4o in organization org-a on tokens per min (TPM): ' +
        'Limit 600, Used 400, Requested 300. Please try again in 10s.',
      type: 'tokens',
      param: null,
      code: 'rate_limit_exceeded',
    });
  });

  it('says when a request is too large for ever', async () => {
    const { chat } = await start({ ...limited({ tpm: 100 }), retryAfter: true });
    const answer = await chat({ max_tokens: 100 });
    expect(answer.json()['error']).toMatchObject({ type: 'tokens', code: 'rate_limit_exceeded' });
    expect(answer.text).toContain('Request too large for gpt-4o');
    expect(answer.text).toContain('Limit 100, Requested 108.');
    expect(answer.headers.get('retry-after')).toBeNull();
  });

  it.each([
    ['openai', '20', '20000'],
    ['groq', '20', null],
  ] as const)('advises a wait in the manner of %s where the vendor does', async (headers, seconds, ms) => {
    const { chat } = await start({ ...limited({ rpm: 3 }), retryAfter: true, headers }, minuteClock());
    for (let sent = 0; sent < 3; sent++) await chat();
    const answer = await chat();
    expect(answer.headers.get('retry-after')).toBe(seconds);
    expect(answer.headers.get('retry-after-ms')).toBe(ms);
  });

  it('is over when the wait is', async () => {
    const clock = minuteClock();
    const { chat } = await start(limited({ rpm: { limit: 2, algorithm: 'fixed-window' } }), clock);
    const statuses: number[] = [];
    for (const waitMs of [0, 0, 0, 59_999, 1]) {
      clock.advance(waitMs);
      statuses.push((await chat()).status);
    }
    expect(statuses).toEqual([200, 200, 429, 429, 200]);
  });

  it('uses up a request where the vendor counts failures', async () => {
    const { chat, simulator } = await start({ ...limited({ rpm: 10, tpm: 40 }), chargeRefused: true }, minuteClock());
    await chat({ max_tokens: 30 });
    expect((await chat({ max_tokens: 30 })).status).toBe(429);
    expect(simulator.ledger().limits[0]).toMatchObject({ name: 'rpm', level: 8 });
  });
});

describe('who shares a limit', () => {
  it('is every key of an organisation, for each model', async () => {
    const { chat } = await start({ organizations: [{ keys: ['sk-sim-1', 'sk-sim-2'], limits: { rpm: 1 } }] });
    expect((await chat({}, 'sk-sim-1')).status).toBe(200);
    expect((await chat({}, 'sk-sim-2')).status).toBe(429);
    expect((await chat({ model: 'gpt-4o-mini' }, 'sk-sim-2')).status).toBe(200);
  });

  it('is every model of a family, and all models where the organisation says so', async () => {
    const { chat, simulator } = await start({
      models: ['big-1', 'big-2', 'small', 'tiny'],
      organizations: [
        {
          name: 'org-a',
          keys: ['sk-sim-1'],
          limits: { rpm: 9 },
          models: { 'big-*': { rpm: 1 }, tiny: {} },
          sharedLimits: { rpd: 3 },
        },
      ],
    });
    expect((await chat({ model: 'big-1' })).status).toBe(200);
    expect((await chat({ model: 'big-2' })).text).toContain('(RPM)');
    expect((await chat({ model: 'small' })).status).toBe(200);
    expect((await chat({ model: 'tiny' })).status).toBe(200);
    expect((await chat({ model: 'tiny' })).text).toContain('(RPD)');
    const scopes = simulator.ledger().limits.map(({ scope, name }) => `${scope} ${name}`);
    expect(scopes).toEqual(['org-a/big-* rpm', 'org-a rpd', 'org-a/small rpm']);
  });

  it('is one key alone where the limit is its own', async () => {
    const keys = [{ key: 'sk-sim-1', limits: { rpm: 1 } }, 'sk-sim-2'];
    const { chat } = await start({ organizations: [{ keys }] });
    await chat();
    expect((await chat()).status).toBe(429);
    expect((await chat({}, 'sk-sim-2')).status).toBe(200);
  });

  it.each([
    ['there are no keys', [{ keys: [] }], 'There are no keys'],
    ['a token is empty', [{ keys: [''] }], 'key "key-1" is empty'],
    ['a token is given twice', [{ keys: ['a'] }, { keys: ['a'] }], 'token of "key-2" is given twice'],
    ['a name is given twice', [{ name: 'x', keys: [{ key: 'a', name: 'x' }] }], 'name "x" is there twice'],
  ])('must be clear: %s', async (_, organizations, message) => {
    await expect(start({ organizations })).rejects.toThrow(message);
  });
});

describe('the road to the limiter', () => {
  it('takes time, and the limiter sees what arrives then', async () => {
    const clock = minuteClock();
    const { chat, simulator } = await start(
      { ...limited({ rpm: 10 }), arrivalDelayMs: { kind: 'uniform', min: 50, max: 150 } },
      clock,
    );
    const answer = chat({ metadata: { seq: 7 }, user: 'me' });
    while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(100);
    expect((await answer).status).toBe(200);
    expect(simulator.ledger().requests).toMatchObject([
      { seq: 7, user: 'me', requestId: null, arrivedMs: 0, admittedMs: 100, outcome: 'completed' },
    ]);
  });

  it('is left by a client that goes away, unseen by any limit', async () => {
    const clock = minuteClock();
    const { url, simulator } = await start({ ...limited({ rpm: 10 }), arrivalDelayMs: 100 }, clock);
    const stop = new AbortController();
    const answer = fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-sim-1' },
      body: JSON.stringify(ASK),
      signal: stop.signal,
    });
    while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await expect(answer).rejects.toThrow();
    while (clock.pendingTimers > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(simulator.ledger()).toMatchObject({ admitted: 0, refused: { left_before_admission: 1 } });
  });
});

it('a vendor whose clock is ahead opens its windows earlier', async () => {
  const clock = minuteClock();
  const { chat } = await start(
    { ...limited({ rpm: { limit: 1, algorithm: 'fixed-window' } }), clockOffsetMs: 2000 },
    clock,
  );
  await chat();
  clock.advance(57_999);
  expect((await chat()).status).toBe(429);
  clock.advance(1);
  expect((await chat()).status).toBe(200);
});
