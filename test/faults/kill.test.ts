import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isSavedBooks } from '../../src/state/is-saved-books.ts';
import { seededRandom } from '../scheduler/simulation/random.ts';
import { startProcess } from '../support/sluice-process.ts';
import { boundConfig, boundRequest, startBoundVendor, THREEFOLD_PAUSE_MS } from '../system/pair.ts';
import { CHAT, FEW_REFUSALS, pause } from '../system/world.ts';

/** Within two writes of the books, and in the middle of a start's first. */
const LIVES_MS = seededLives(5, 3_000);

function seededLives(count: number, longestMs: number): readonly number[] {
  const random = seededRandom(29);
  return Array.from({ length: count }, () => random() * longestMs);
}

test('kill -9 at any moment under three times the load: the books load, and no limit is met upstream', {
  timeout: 120_000,
}, async () => {
  await using vendor = await startBoundVendor();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-kill-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const config = boundConfig(vendor.url, {
    server: { port: 0 },
    state: { file: 'state.json' },
    log: { level: 'warn', format: 'json' },
  });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const statuses: number[] = [];
  const calls: Promise<void>[] = [];
  let number = 0;
  const callFor = async (url: string, ms: number): Promise<void> => {
    const end = performance.now() + ms;
    for (; performance.now() < end; await pause(THREEFOLD_PAUSE_MS)) {
      number += 1;
      calls.push(call(url, number).then((status) => void statuses.push(status)));
    }
  };

  let out = '';
  for (const lifeMs of LIVES_MS) {
    const sluice = await startProcess(folder);
    await callFor(sluice.url, lifeMs);
    await sluice.kill();
    out += sluice.out();
    const { books } = JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')) as { readonly books: unknown };
    expect(isSavedBooks(books)).toBe(true);
    expect(books).toMatchObject({ isFinal: false });
  }
  const last = await startProcess(folder);
  const before = vendor.simulator.ledger().admitted;
  await callFor(last.url, 4_000);
  await Promise.all(calls);
  await last.kill();

  const { admitted, rateLimited } = vendor.simulator.ledger();
  if (process.env['SIM']) console.log('kills', { admitted, rateLimited, after: admitted - before });
  expect(rateLimited).toBeLessThanOrEqual(FEW_REFUSALS);
  // A crash costs some seconds of throughput, not a minute of it.
  expect(admitted - before).toBeGreaterThan(10);
  expect(statuses.filter((status) => ![200, 429, 0].includes(status))).toEqual([]);
  expect(out).not.toContain('starting without');
});

/** Its status; 0 where the connection broke. */
async function call(url: string, number: number): Promise<number> {
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...CHAT, ...boundRequest(number) }),
    });
    await response.text();
    return response.status;
  } catch {
    return 0;
  }
}
