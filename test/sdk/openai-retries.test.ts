import { describe, expect, test } from 'vitest';
import { ASK, MAJORS } from './openai-majors.ts';
import { failureOf, startWorld } from './world.ts';

/** A request each half second or so, and less patience than two of them take: some are told when to return. */
const IMPATIENT = {
  simulator: { organizations: [{ keys: ['sk-upstream-of-this-test'], limits: { rpm: { limit: 120, capacity: 1 } } }] },
  provider: { limits: { rpm: { limit: 120, burst: '0.5%' } } },
  config: { defaults: { queue: { max_wait: '1s' } } },
};

/**
 * The books allow for 250 ms between a grant and its arrival. Two busy cores may stall a test for longer than that, so one
 * refusal upstream, which no client notices, is no fault here: that there is none is shown in simulated time.
 */
function expectServed({ admitted, rateLimited }: { admitted: number; rateLimited: number }, count: number): void {
  expect(admitted).toBe(count);
  expect(rateLimited).toBeLessThanOrEqual(1);
}

describe.each(MAJORS)('the own retries of $name', ({ connect, OpenAI }) => {
  test('a client that is told to return later returns by itself, and is served', async () => {
    const world = await startWorld(IMPATIENT);
    // A place is kept for each, so one retry is enough.
    const client = connect(world, { maxRetries: 1 });
    const ask = (user: string) => client.chat.completions.create({ ...ASK, user });
    const completions = await Promise.all(['a', 'b', 'c', 'd'].map(ask));
    for (const { choices } of completions) expect(choices[0]?.message.content).toMatch(/\w/);
    const refused = world.requests().filter(({ status }) => status !== 200);
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['queue_wait_exceeded']));
    expectServed(world.simulator.ledger(), 4);
  });

  test('without retries it is a RateLimitError that says when', async () => {
    const world = await startWorld({ ...IMPATIENT, config: { defaults: { queue: { max_wait: '100ms' } } } });
    const client = connect(world, { maxRetries: 0 });
    await client.chat.completions.create(ASK);
    const failure = await failureOf(client.chat.completions.create({ ...ASK, user: 'another' }));
    expect(failure).toBeInstanceOf(OpenAI.RateLimitError);
    expect(failure).toMatchObject({ status: 429, code: 'queue_wait_exceeded', type: 'rate_limit_error' });
    expect(failure).toHaveProperty('message', expect.stringMatching(/Please try again in 0\.\ds\.$/));
    const { headers, requestID } = failure as InstanceType<typeof OpenAI.RateLimitError>;
    expect(headers.get('retry-after')).toBe('1');
    expect(Number(headers.get('retry-after-ms'))).toBeLessThan(1000);
    expect(headers.get('x-should-retry')).toBeNull();
    expect(requestID).toBe(world.requests()[1]?.id);
  });

  test('a limit of the day is told once, however many retries the client has', async () => {
    const world = await startWorld({ ...IMPATIENT, provider: { limits: { rpd: 1 } } });
    const client = connect(world, { maxRetries: 5 });
    await client.chat.completions.create(ASK);
    const failure = await failureOf(client.chat.completions.create({ ...ASK, stream: true }));
    expect(failure).toBeInstanceOf(OpenAI.RateLimitError);
    expect(world.requests().map(({ status }) => status)).toEqual([200, 429]);
  });

  test('a client that gives up early is told so instead of being left to wait', async () => {
    const world = await startWorld({ provider: { limits: { rpm: { limit: 6, burst: '10%' } } } });
    const client = connect(world, { maxRetries: 0 });
    await client.chat.completions.create(ASK);
    const failure = await failureOf(client.chat.completions.create({ ...ASK, user: 'another' }, { timeout: 3000 }));
    expect(failure).toBeInstanceOf(OpenAI.RateLimitError);
    expect(world.requests()).toMatchObject([{ status: 200 }, { status: 429, code: 'queue_wait_exceeded' }]);
  });

  test('who waits in the queue needs no retry', async () => {
    const { config: _, ...patient } = IMPATIENT;
    const world = await startWorld(patient);
    const client = connect(world, { maxRetries: 0 });
    const whole = ['a', 'b'].map((user) => client.chat.completions.create({ ...ASK, user }));
    const streamed = ['c', 'd'].map((user) => client.chat.completions.stream({ ...ASK, user }).finalContent());
    await Promise.all([...whole, ...streamed]);
    expect(world.requests().map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expectServed(world.simulator.ledger(), 4);
  });

  test('a failure upstream is repeated by Sluice, and the client does not notice', async () => {
    const world = await startWorld({ simulator: { faults: [{ kind: '503', nth: [1] }] } });
    const stream = connect(world).chat.completions.stream(ASK);
    expect(await stream.finalContent()).toMatch(/\w/);
    expect(world.requests()).toMatchObject([{ status: 200, attempts: 2 }]);
  });

  test('a server without memory to spare is tried again', async () => {
    const world = await startWorld({
      simulator: { answer: { firstByteMs: 300 } },
      config: { server: { port: 0, body_limit: '1000B', body_memory: '1000B' } },
    });
    const client = connect(world);
    const large = { ...ASK, user: 'x'.repeat(600) };
    await Promise.all([client.chat.completions.create(large), client.chat.completions.create(large)]);
    const codes = world.requests().map(({ code }) => code);
    expect(codes).toEqual(['server_busy', null, null]);
  });
});
