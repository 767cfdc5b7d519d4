import { expect, test } from 'vitest';
import { chargeOf } from '../../../src/charge.ts';
import type { NamedPlan } from '../../../src/scheduler/quota.ts';
import { Office } from '../office.ts';

const BUCKET = { windowMs: 60_000, algorithm: 'token-bucket', isGuess: false } as const;
const LIMITS: readonly NamedPlan[] = [
  { name: 'rpm', plan: { ...BUCKET, unit: 'requests', capacity: 30 } },
  { name: 'tpm', plan: { ...BUCKET, unit: 'tokens', capacity: 20_000 } },
];

test('what a burst of low requests did not come to puts no low ones before high ones that wait', () => {
  const office = new Office({ a: { limits: LIMITS } }, { maxWaitMs: 600_000 });
  const ask = (name: string, priority: 'high' | 'low') =>
    office.ask(name, { client: priority, share: { priority, weight: 1 }, tokens: 512 });
  const burst = Array.from({ length: 30 }, (_, index) => `burst ${index}`);
  for (const [index, name] of burst.entries()) ask(name, index % 2 === 0 ? 'low' : 'high');
  for (let i = 0; i < 8; i += 1) {
    ask(`low ${i}`, 'low');
    ask(`high ${i}`, 'high');
  }
  office.clock.advance(300);
  for (const name of burst) office.end(name, { charged: chargeOf(24, 0) });
  office.clock.advance(40_000);
  const started = office.log.slice(burst.length);
  expect(started).toHaveLength(16);
  expect(started.slice(0, 9).filter((each) => each.startsWith('high'))).toHaveLength(8);
});
