import { expect, test } from 'vitest';
import { KEYS, provider, startSimulator, startSluice, until } from './world.ts';

/** A vendor with an account for each key, of which one hangs, behind a Sluice that does not wait for it. */
async function startWorld() {
  await using stack = new AsyncDisposableStack();
  const organizations = (['bad', 'good'] as const).map((name) => ({
    name: `of-${name}`,
    keys: [{ name, key: KEYS[name] }],
    limits: { rpm: { limit: 600 } },
  }));
  const vendor = stack.use(await startSimulator({ organizations, models: ['gpt-4o'] }));
  const keys = (['bad', 'good'] as const).map((name) => ({ name, key: KEYS[name] }));
  const sluice = stack.use(
    await startSluice({
      hedge: { after: '300ms', max_share: '100%' },
      providers: [provider(vendor.url, keys, { limits: { rpm: 600 } })],
      models: [{ name: 'gpt-4o', strategy: 'failover', targets: [{ provider: 'sim', model: 'gpt-4o' }] }],
    }),
  );
  // Each key has been proved: nothing is hedged on one that nobody knows.
  for (const name of ['bad', 'good'] as const) {
    vendor.simulator.setFaults([{ kind: '500', keys: [name] }]);
    expect((await sluice.chat()).status).toBe(200);
  }
  vendor.simulator.setFaults([]);
  const owned = stack.move();
  return { vendor, sluice, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

test('over sockets, a request that one key leaves hanging is answered by the other, and the first call is aborted', async () => {
  await using world = await startWorld();
  const { vendor, sluice } = world;
  await sluice.chat();
  const before = vendor.simulator.ledger();
  vendor.simulator.setFaults([{ kind: 'hang', keys: ['bad'] }]);
  for (const stream of [true, false]) {
    const answer = await sluice.chat({ stream });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-sluice-key')).toBe('good');
  }
  await until(() => sluice.app.openLeases === 0 && vendor.simulator.ledger().inFlight === 0);
  const { aborted, rateLimited } = vendor.simulator.ledger();
  expect(aborted - before.aborted).toBeGreaterThanOrEqual(1);
  expect(rateLimited).toBe(0);
  expect(sluice.app.heldBodyBytes).toBe(0);
});
