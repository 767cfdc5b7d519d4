import { describe, expect, test } from 'vitest';
import type { LimitStore, SavedBooks } from '../../src/scheduler/limit-store.ts';
import { Quota } from '../../src/scheduler/quota.ts';
import { KeptBooks } from '../../src/setup/kept-books.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** Remembers every write, and lets the test wait for the next one. */
class StoreDouble implements LimitStore {
  readonly saved: SavedBooks[] = [];
  readonly #before: SavedBooks | null;

  constructor(before: SavedBooks | null = null) {
    this.#before = before;
  }

  load(): Promise<SavedBooks | null> {
    return Promise.resolve(this.#before);
  }

  save(books: SavedBooks): Promise<void> {
    this.saved.push(books);
    return Promise.resolve();
  }
}

function quota(id: string): Quota {
  const plan = { unit: 'requests', windowMs: 60_000, capacity: 60, algorithm: 'token-bucket', isGuess: false } as const;
  return new Quota({ id, name: id, limits: [{ name: 'rpm', plan }], learns: true, skewMs: 0 });
}

/** What follows a write is done in turns of the event loop that take no time. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function opened(before: SavedBooks | null = null) {
  const clock = new FakeClock();
  const store = new StoreDouble(before);
  const problems: string[] = [];
  const kept = new KeptBooks({ store, clock, onProblem: (problem) => problems.push(problem) });
  await kept.open();
  return { clock, store, kept, problems };
}

describe('books that are kept', () => {
  test('are written at the start, every two seconds, and once more at the end, as the last that there are', async () => {
    const { clock, store, kept } = await opened();
    kept.adopt(quota('q'));
    for (let round = 1; round <= 3; round += 1) {
      clock.advance(2_000);
      expect(store.saved).toHaveLength(1 + round);
      await settled();
    }
    await kept.close();
    expect(store.saved.map(({ isFinal }) => isFinal)).toEqual([false, false, false, false, true]);
    expect(store.saved.at(-1)?.quotas.map(({ id }) => id)).toEqual(['q']);
    expect(clock.pendingTimers).toBe(0);
  });

  test('are written by nobody any more when the end comes during a write', async () => {
    const { clock, store, kept } = await opened();
    clock.advance(2_000);
    await kept.close();
    await settled();
    clock.advance(10_000);
    expect(store.saved.map(({ isFinal }) => isFinal)).toEqual([false, false, true]);
  });

  test('give a quota back what was written of it, whenever it is asked for', async () => {
    const { clock, store, kept } = await opened();
    const first = quota('q');
    kept.adopt(first);
    first.limits[0]?.primary.take(30, clock.now());
    await kept.close();

    const next = await opened(store.saved.at(-1) as SavedBooks);
    const again = quota('q');
    next.kept.adopt(again);
    expect(again.limits[0]?.primary.level(next.clock.now())).toBeCloseTo(30);
    expect(again.gate.isOpen).toBe(true);
  });

  // A crash in the first two seconds after an orderly end used to pass for that end.
  test('no longer say that they are the last as soon as there is a process again', async () => {
    const { store, kept } = await opened();
    kept.adopt(quota('q'));
    await kept.close();

    const next = await opened(store.saved.at(-1) as SavedBooks);
    expect(next.store.saved).toMatchObject([{ isFinal: false, quotas: [{ id: 'q' }] }]);
    const afterCrash = await opened(next.store.saved[0]);
    const again = quota('q');
    afterCrash.kept.adopt(again);
    expect(again.limits[0]?.primary.level(afterCrash.clock.now())).toBeCloseTo(0);
  });

  test('tell whoever waits after a crash why, and nobody after an orderly end', async () => {
    const { store, kept, problems } = await opened();
    kept.adopt(quota('q'));
    await kept.close();
    const afterEnd = await opened(store.saved.at(-1) as SavedBooks);
    expect([...problems, ...afterEnd.problems]).toEqual([]);
    const afterCrash = await opened(afterEnd.store.saved[0]);
    expect(afterCrash.problems).toEqual([expect.stringContaining('did not end in good order')]);
  });

  test('keep what was written of quotas that nobody asks for', async () => {
    const { store, kept } = await opened();
    kept.adopt(quota('old'));
    await kept.close();

    const next = await opened(store.saved.at(-1) as SavedBooks);
    next.kept.adopt(quota('new'));
    await next.kept.close();
    expect(next.store.saved.at(-1)?.quotas.map(({ id }) => id)).toEqual(['old', 'new']);
  });
});

describe('budgets in the books', () => {
  const spent = (spentUsd: number) => ({ client: 'web', periodStartMs: 0, spentUsd, aheadUsd: 0 });

  test('are those that were found until there are others', async () => {
    const before = { savedAtWallMs: 0, isFinal: true, quotas: [], budgets: [spent(1)] };
    const { store, kept } = await opened(before);
    expect(kept.savedBudgets).toEqual([spent(1)]);
    expect(store.saved.at(-1)?.budgets).toEqual([spent(1)]);
    kept.adoptBudgets({ save: (isFinal) => [spent(isFinal ? 3 : 2)] });
    await kept.close();
    expect(store.saved.at(-1)).toMatchObject({ isFinal: true, budgets: [spent(3)] });
  });

  test('are not spoken of where there are none', async () => {
    const { store, kept } = await opened({ savedAtWallMs: 0, isFinal: true, quotas: [] });
    expect(kept.savedBudgets).toEqual([]);
    await kept.close();
    expect(store.saved.at(-1)).not.toHaveProperty('budgets');
  });

  test('are written at once when they cannot wait, but not ten times in one second', async () => {
    const { clock, store, kept } = await opened();
    const writes = () => store.saved.length - 1;
    clock.advance(500);
    for (let request = 0; request < 5; request += 1) kept.writeSoon();
    clock.advance(0);
    expect(writes()).toBe(1);
    await settled();
    for (let request = 0; request < 5; request += 1) kept.writeSoon();
    clock.advance(99);
    expect(writes()).toBe(1);
    clock.advance(1);
    expect(writes()).toBe(2);
    await settled();
    // And then again every two seconds.
    clock.advance(1_999);
    expect(writes()).toBe(2);
    clock.advance(1);
    expect(writes()).toBe(3);
  });

  test('asked for during a write are in the next, of which there is one', async () => {
    const { clock, store, kept } = await opened();
    clock.advance(2_000);
    kept.writeSoon();
    clock.advance(100);
    await settled();
    expect(store.saved).toHaveLength(3);
    clock.advance(2_000);
    await settled();
    expect(store.saved).toHaveLength(4);
    kept.writeSoon();
    await kept.close();
    kept.writeSoon();
    clock.advance(10_000);
    expect(store.saved).toHaveLength(5);
    expect(clock.pendingTimers).toBe(0);
  });
});
