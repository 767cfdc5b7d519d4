import { expect, test } from 'vitest';
import { boundConfig, boundRequest, startBoundVendor, THREEFOLD_PAUSE_MS } from './pair.ts';
import {
  type Answer,
  errorOf,
  FEW_REFUSALS,
  MOST,
  pause,
  type SimulatorAt,
  type Sluice,
  startSluice,
} from './world.ts';

const LOAD_MS = 8_000;

interface Caller {
  readonly first: Answer;
  /** At the told time, or at half of it; null where the first was served. */
  readonly second: Answer | null;
  readonly isObedient: boolean;
}

/** A caller that comes back once when it is told to; every fifth is too early. */
async function callTwice(sluice: Sluice, number: number): Promise<Caller> {
  const isObedient = number % 5 !== 0;
  const first = await sluice.chat(boundRequest(number));
  if (first.status === 200) return { first, second: null, isObedient };
  await pause(Number(first.headers.get('retry-after-ms')) * (isObedient ? 1 : 0.5));
  return { first, second: await sluice.chat(boundRequest(number)), isObedient };
}

function utilisation({ simulator }: SimulatorAt, scope: string, limit: string): number | undefined {
  return simulator.ledger().limits.find((each) => each.scope.startsWith(scope) && each.name === limit)?.utilisation;
}

test('three times what the keys give: no limit is met upstream, nothing is wasted, who obeys is served', async () => {
  await using vendor = await startBoundVendor();
  await using sluice = await startSluice(boundConfig(vendor.url));
  const callers: Promise<Caller>[] = [];
  for (const end = performance.now() + LOAD_MS; performance.now() < end; await pause(THREEFOLD_PAUSE_MS)) {
    callers.push(callTwice(sluice, callers.length));
  }
  // A start from a full bucket costs the skew once, 250 ms, which is a twentieth of so short a run.
  expect(utilisation(vendor, 'of-bad', 'rpm')).toBeGreaterThan(MOST);
  expect(utilisation(vendor, 'of-good', 'tpm')).toBeGreaterThan(MOST);

  const rejected = (await Promise.all(callers)).filter(({ first }) => first.status !== 200);
  // On a busy machine the callers come later than they should, so not all of two thirds are too many.
  expect(rejected.length).toBeGreaterThan(callers.length / 3);
  for (const { first } of rejected) {
    expect(first.status).toBe(429);
    expect(errorOf(first).code).toBe('queue_wait_exceeded');
    expect(Number(first.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    // Nobody waits for a rejection: it comes from the plan, not from a timer.
    expect(Number(first.headers.get('x-sluice-queue-ms'))).toBeLessThan(1_000);
  }
  const obedient = rejected.filter(({ isObedient }) => isObedient);
  const served = obedient.filter(({ second }) => second?.status === 200);
  expect(served.length / obedient.length).toBeGreaterThanOrEqual(0.99);
  // Too early is no crime: it waits, or is told again.
  const early = rejected.filter(({ isObedient }) => !isObedient).map(({ second }) => second?.status);
  expect(early.filter((status) => status !== 200 && status !== 429)).toEqual([]);
  expect(vendor.simulator.ledger().rateLimited).toBeLessThanOrEqual(FEW_REFUSALS);
  expect(sluice.app.openLeases).toBe(0);
});
