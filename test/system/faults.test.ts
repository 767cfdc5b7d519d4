import { describe, expect, test } from 'vitest';
import type { FaultKind, FaultRule } from '../../src/simulator/faults.ts';
import {
  type Answer,
  errorOf,
  KEYS,
  pause,
  provider,
  type SimulatorAt,
  type Sluice,
  startSimulator,
  startSluice,
  together,
  until,
} from './world.ts';

type KeyName = keyof typeof KEYS;
const NAMES: readonly KeyName[] = ['bad', 'good'];

/** Half empty at the start, so that what is not booked cannot hide in a full bucket. */
const LIMITS = { rpm: { limit: 200, initial: 100 }, tpm: { limit: 20_000, initial: 10_000 } };

interface World extends AsyncDisposable {
  readonly vendor: SimulatorAt;
  readonly sluice: Sluice;
}

/** Sluice prefers the bad key for as long as that works. */
async function startWorld(names = NAMES): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const organizations = names.map((name) => ({
    name: `of-${name}`,
    keys: [{ name, key: KEYS[name] }],
    limits: LIMITS,
  }));
  const vendor = stack.use(await startSimulator({ organizations, models: ['gpt-4o'] }));
  const keys = names.map((name) => ({ name, key: KEYS[name] }));
  const settings = { limits: { rpm: 200, tpm: 20_000 }, timeouts: { first_byte: '1s', idle: '1s' } };
  const sluice = stack.use(
    await startSluice({
      providers: [provider(vendor.url, keys, settings)],
      models: [
        {
          name: 'gpt-4o',
          strategy: 'failover',
          queue: { max_wait: '10s' },
          targets: [{ provider: 'sim', model: 'gpt-4o' }],
        },
      ],
    }),
  );
  const owned = stack.move();
  return { vendor, sluice, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Four callers, each with ten requests one after another. */
async function fortyChats(sluice: Sluice, body: object): Promise<Answer[]> {
  const callers = await together(4, async () => {
    const answers: Answer[] = [];
    for (let nth = 0; nth < 10; nth += 1) answers.push(await sluice.chat(body));
    return answers;
  });
  return callers.flat();
}

/** Per key and limit, how far the level in `/queue` is from the vendor's own, in percent of the limit. */
async function levelGaps({ sluice, vendor }: World, key: KeyName): Promise<readonly number[]> {
  const { quotas } = await sluice.queue();
  const quota = quotas.find((each) => each.quota.includes(key));
  return vendor.simulator
    .ledger()
    .limits.filter(({ scope }) => scope.startsWith(`of-${key}/`))
    .map(({ name, level, limit }) => {
      const own = quota?.limits.find((each) => each.limit === name)?.level ?? Number.NaN;
      return Math.abs(((own - level) / limit) * 100);
    });
}

/**
 * A head lowers the books at once; it raises them only when those before it say the same, and when all that it may speak of
 * has been settled, which takes longer after refusals that nothing explains. So it takes some answers, far enough apart for
 * each head to speak of its own request alone, until the books are the vendor's.
 */
async function expectEqualLevels(
  world: World,
  { key, body, withinPercent = 1 }: { key: KeyName; body: object; withinPercent?: number | undefined },
): Promise<void> {
  let worst = Number.POSITIVE_INFINITY;
  for (let answer = 0; answer < MOST_ANSWERS && !(worst < withinPercent); answer++) {
    await pause(SETTLED_MS);
    await untilServedBy(world, key, body);
    await pause(SETTLED_MS);
    worst = Math.max(...(await levelGaps(world, key)));
  }
  expect(worst).toBeLessThan(withinPercent);
}

const SETTLED_MS = 600;
const MOST_ANSWERS = 16;

/** Asks until the key serves. */
async function untilServedBy({ sluice }: World, key: KeyName, body: object): Promise<void> {
  await until(async () => {
    const { headers } = await sluice.chat(body);
    if (headers.get('x-sluice-key') === key) return true;
    await pause(200);
    return false;
  });
}

interface Fault extends Omit<FaultRule, 'keys'> {
  /** The key is out of use until an operator acts. */
  readonly isForGood?: true;
  /** How near the books come afterwards; 1 where nothing is said. */
  readonly withinPercent?: number;
}

const BEFORE_CONTENT: readonly Fault[] = [
  { kind: 'refuse' },
  { kind: 'garbage' },
  { kind: 'html_502' },
  { kind: '401', isForGood: true },
  { kind: '500' },
  { kind: '503' },
  { kind: 'quota_429', isForGood: true },
  { kind: 'bare_429' },
  // Refusals that the books cannot explain widen the skew, and by what refills in it the books stay below a head.
  { kind: 'lying_retry_after', withinPercent: 2 },
  { kind: 'reset_before_body' },
  { kind: 'role_then_reset' },
  { kind: 'hang' },
  { kind: 'slow_head' },
  { kind: 'stall', afterTokens: 0 },
  { kind: 'error_in_200' },
  { kind: 'stream_error_first_event' },
  { kind: 'stream_error_late', afterTokens: 0 },
  { kind: 'cut_json', afterTokens: 0 },
  { kind: 'reset_within_body', afterTokens: 0 },
];

const STREAM_FAULTS: readonly Fault[] = [...BEFORE_CONTENT, { kind: 'json_instead_of_stream' }];

describe.each([
  { form: 'whole', stream: false, faults: BEFORE_CONTENT },
  { form: 'streamed', stream: true, faults: STREAM_FAULTS },
])('$form, with a fault of one key before its first content', ({ stream, faults }) => {
  test.concurrent.each(faults)('$kind: the other key serves', async ({ isForGood, withinPercent, ...fault }) => {
    await using world = await startWorld();
    const { sluice, vendor } = world;
    vendor.simulator.setFaults([{ ...fault, keys: ['bad'] }]);
    const answers = await fortyChats(sluice, { stream });
    expect(answers.filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([]);
    expect(answers.filter(({ text }) => text.includes('"error"'))).toEqual([]);
    const tries = vendor.simulator.ledger().faults[fault.kind] ?? 0;
    expect(tries).toBeGreaterThan(0);
    expect(tries).toBeLessThanOrEqual(3);
    expect(sluice.app.openLeases).toBe(0);
    await expectEqualLevels(world, { key: 'good', body: { stream } });
    // A key that is disabled has told nothing of its level, and is asked no more.
    if (isForGood) return;
    vendor.simulator.setFaults([]);
    await expectEqualLevels(world, { key: 'bad', body: { stream }, withinPercent });
    expect(vendor.simulator.ledger().rateLimited).toBe(0);
    expect(sluice.app.openLeases).toBe(0);
  });

  test.concurrent.each(faults)(
    '$kind: forty at once lose nothing',
    async ({ isForGood: _, withinPercent: __, ...fault }) => {
      await using world = await startWorld();
      const { sluice, vendor } = world;
      vendor.simulator.setFaults([{ ...fault, keys: ['bad'] }]);
      const answers = await together(40, () => sluice.chat({ stream }));
      expect(answers.filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([]);
      expect(vendor.simulator.ledger().faults[fault.kind]).toBeLessThanOrEqual(3);
      expect(sluice.app.openLeases).toBe(0);
    },
  );
});
const UPSTREAM_ERROR = { status: 502, code: 'upstream_error' };
const OVERLOADED = { status: 503, code: 'upstream_overloaded' };
const NO_KEY = { status: 503, code: 'no_usable_key' };
const TIMEOUT = { status: 504, code: 'upstream_timeout' };

const WHEN_BOTH_FAIL = new Map<FaultKind, { readonly status: number; readonly code: string }>([
  ['401', NO_KEY],
  ['quota_429', NO_KEY],
  ['503', OVERLOADED],
  ['bare_429', OVERLOADED],
  ['lying_retry_after', OVERLOADED],
  ['hang', TIMEOUT],
  ['slow_head', TIMEOUT],
  ['stall', TIMEOUT],
]);

describe.each([
  { form: 'whole', stream: false, faults: BEFORE_CONTENT },
  { form: 'streamed', stream: true, faults: STREAM_FAULTS },
])('$form, when both keys fail', ({ stream, faults }) => {
  test.concurrent.each(faults)('$kind: the documented error', async ({ isForGood: _, withinPercent: __, ...fault }) => {
    await using world = await startWorld();
    world.vendor.simulator.setFaults([fault]);
    const answer = await world.sluice.chat({ stream });
    const { status, code } = WHEN_BOTH_FAIL.get(fault.kind) ?? UPSTREAM_ERROR;
    expect(answer.status).toBe(status);
    expect(errorOf(answer)).toMatchObject({ type: 'server_error', code });
    expect(answer.headers.get('x-should-retry')).toBe('false');
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect(world.sluice.app.openLeases).toBe(0);
  });
});

describe('a stream that fails after its first content', () => {
  test.concurrent.each([
    { kind: 'stall', code: 'upstream_timeout' },
    { kind: 'stream_error_late', code: 'upstream_error' },
    { kind: 'cut_json', code: 'upstream_error' },
    { kind: 'reset_within_body', code: 'upstream_error' },
  ] as const)('$kind: ends with an error event that names the request', async ({ kind, code }) => {
    await using world = await startWorld();
    const { sluice, vendor } = world;
    vendor.simulator.setFaults([{ kind, nth: [1] }]);
    // With a cap both sides reserve the same; without one, what ours is larger by comes back after the next head only.
    const body = { stream: true, max_completion_tokens: 24 };
    const answer = await sluice.chat(body);
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('"content":');
    expect(answer.text).not.toContain('[DONE]');
    const { message, ...error } = errorOf(answer);
    expect(error).toMatchObject({ type: 'server_error', code });
    expect(message).toMatch(new RegExp(`Request id: ${answer.headers.get('x-request-id')}$`));
    expect(sluice.app.openLeases).toBe(0);
    await expectEqualLevels(world, { key: 'bad', body });
  });
});
