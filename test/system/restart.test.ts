import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { boundConfig, boundRequest, startBoundVendor, THREEFOLD_PAUSE_MS } from './pair.ts';
import { FEW_REFUSALS, pause, type Sluice, startSluice } from './world.ts';

const PHASE_MS = 4_000;

test('a stop and a start in the middle of three times the load: no limit is met upstream', async () => {
  await using vendor = await startBoundVendor();
  const folder = await mkdtemp(join(tmpdir(), 'books-'));
  const config = boundConfig(vendor.url, {
    state: { file: join(folder, 'state.json') },
    server: { port: 0, shutdown_grace: '1s' },
  });
  const statuses: number[] = [];
  let sluice: Sluice = await startSluice(config);
  let number = 0;
  const calls: Promise<void>[] = [];
  const callUntil = async (isOver: () => boolean): Promise<void> => {
    for (; !isOver(); await pause(THREEFOLD_PAUSE_MS)) {
      number += 1;
      calls.push(
        sluice.chat(boundRequest(number)).then(
          ({ status }) => void statuses.push(status),
          // Between the stop and the start nobody listens.
          () => void statuses.push(0),
        ),
      );
    }
  };
  const after = (ms: number): (() => boolean) => {
    const end = performance.now() + ms;
    return () => performance.now() >= end;
  };

  await callUntil(after(PHASE_MS));
  let isClosed = false;
  const closing = sluice.app.close().then(() => {
    isClosed = true;
  });
  await callUntil(() => isClosed);
  await closing;
  sluice = await startSluice(config);
  await callUntil(after(PHASE_MS));
  await Promise.all(calls);

  expect(vendor.simulator.ledger().rateLimited).toBeLessThanOrEqual(FEW_REFUSALS);
  expect(statuses.filter((status) => ![200, 429, 503, 0].includes(status))).toEqual([]);
  expect(sluice.app.openLeases).toBe(0);
  await sluice.app.closeNow();
  await rm(folder, { recursive: true });
});
