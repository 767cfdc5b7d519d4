import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALGORITHMS, CHARGES, type LimitsOptions } from '../../../src/simulator/limits/limit-spec.ts';
import {
  createLimits,
  createUpstreamLimiter,
  type Handle,
  UpstreamLimiter,
} from '../../../src/simulator/limits/upstream-limiter.ts';

const admitted = (limiter: UpstreamLimiter, nowMs: number, size = { input: 100, outputCap: 50 as number | null }) => {
  const verdict = limiter.admit(nowMs, size);
  if (!verdict.isAdmitted) throw new Error(`refused by ${verdict.limit.spec.name}`);
  return verdict.handle;
};

const levels = (limiter: UpstreamLimiter, nowMs: number): number[] =>
  limiter.limits.map((limit) => limit.read(nowMs).level);

/** Levels of one limit of 1,000 after an arrival of 100 + 50, and after it has used 100 + 20. */
const chargesOf = (limits: LimitsOptions): [onArrival: number, atEnd: number] => {
  const limiter = createUpstreamLimiter(limits);
  const handle = admitted(limiter, 0);
  const [onArrival = Number.NaN] = levels(limiter, 0);
  limiter.finish(0, handle, { input: 100, output: 20 });
  const [atEnd = Number.NaN] = levels(limiter, 0);
  return [1000 - onArrival, 1000 - atEnd];
};

describe('what a request is charged', () => {
  it.each([
    ['reserves prompt and cap, and corrects it to the usage', { tpm: 1000 }, 150, 120],
    ['reserves and never refunds', { tpm: { limit: 1000, charge: 'keep' } }, 150, 150],
    ['charges at the end', { tpm: { limit: 1000, charge: 'at-end' } }, 0, 120],
    ['reserves the larger of prompt and cap', { tpm: { limit: 1000, reserve: 'larger' } }, 100, 120],
    ['reserves the prompt alone', { tpm: { limit: 1000, reserve: 'prompt' } }, 100, 120],
    ['counts a request once', { rpm: 1000 }, 1, 1],
    ['counts input alone', { itpm: 1000 }, 100, 100],
    ['counts output as it is generated', { otpm: 1000 }, 0, 20],
    ['reserves output where told to', { otpm: { limit: 1000, charge: 'refund' } }, 50, 20],
    ['holds a slot until the end', { concurrency: 1000 }, 1, 0],
  ] as [string, LimitsOptions, number, number][])('%s', (_, limits, ...charges) => {
    expect(chargesOf(limits)).toEqual(charges);
  });

  it('assumes an output where the client caps none', () => {
    const limiter = createUpstreamLimiter({ tpm: { limit: 1000, assumedOutput: 300 } });
    admitted(limiter, 0, { input: 100, outputCap: null });
    expect(levels(limiter, 0)).toEqual([600]);
  });
});

describe('a limiter', () => {
  it('charges all limits or none', () => {
    const limiter = createUpstreamLimiter({ rpm: 10, tpm: 200 });
    admitted(limiter, 0);
    const verdict = limiter.admit(0, { input: 100, outputCap: 50 });
    expect(verdict).toMatchObject({ isAdmitted: false, requested: 150, waitMs: 30_000 });
    expect(levels(limiter, 0)).toEqual([9, 50]);
  });

  it('names the limit that takes longest to have room', () => {
    const limiter = createUpstreamLimiter({ rpm: 1, tpm: 200, concurrency: 1 });
    admitted(limiter, 0);
    const verdict = limiter.admit(0, { input: 100, outputCap: 50 });
    expect(verdict.isAdmitted ? null : verdict.limit.spec.name).toBe('rpm');
    expect(limiter.limits.map((limit) => limit.report(0).refused)).toEqual([1, 0, 0]);
  });

  it('never admits what is larger than a limit', () => {
    const verdict = createUpstreamLimiter({ tpm: 100 }).admit(0, { input: 100, outputCap: 1 });
    expect(verdict).toMatchObject({ isAdmitted: false, waitMs: Number.POSITIVE_INFINITY });
  });

  it('settles a request once', () => {
    const limiter = createUpstreamLimiter({ tpm: { limit: 1000, charge: 'at-end' } });
    const handle: Handle = admitted(limiter, 0);
    limiter.finish(0, handle, { input: 100, output: 20 });
    limiter.finish(0, handle, { input: 100, output: 20 });
    expect(levels(limiter, 0)).toEqual([880]);
  });

  it('shares its limits with other limiters that are given them', () => {
    const organisation = createLimits({ rpm: 2 }, 0);
    const a = new UpstreamLimiter(organisation);
    const b = new UpstreamLimiter([...organisation, ...createLimits({ rpm: 5 }, 0)]);
    admitted(a, 0);
    admitted(b, 0);
    expect(a.admit(0, { input: 1, outputCap: null }).isAdmitted).toBe(false);
    expect(levels(b, 0)).toEqual([0, 4]);
  });

  it('goes into debt when more is used than was reserved', () => {
    const limiter = createUpstreamLimiter({ tpm: { limit: 1000, algorithm: 'sliding-log' } });
    limiter.finish(0, admitted(limiter, 0), { input: 100, output: 1400 });
    expect(levels(limiter, 0)).toEqual([-500]);
  });

  it('enforces a limit and its slices side by side', () => {
    const limiter = createUpstreamLimiter({ rpm: { limit: 120, algorithm: 'sliding-log', sliceMs: 1000 } });
    admitted(limiter, 0);
    admitted(limiter, 0);
    const verdict = limiter.admit(0, { input: 1, outputCap: null });
    expect(verdict.isAdmitted ? null : verdict.limit.spec.algorithm).toBe('slices');
    expect(limiter.admit(1000, { input: 1, outputCap: null }).isAdmitted).toBe(true);
  });
});

describe('whatever limits there are and whatever comes', () => {
  const algorithm = fc.constantFrom(...ALGORITHMS);
  const limits = fc.record({
    rpm: fc.record({ limit: fc.integer({ min: 1, max: 30 }), algorithm }),
    tpm: fc.record({ limit: fc.integer({ min: 60, max: 2000 }), algorithm, charge: fc.constantFrom(...CHARGES) }),
    rpd: fc.record({ limit: fc.integer({ min: 1, max: 100 }), algorithm }),
    concurrency: fc.integer({ min: 1, max: 4 }),
  });
  const arrivals = fc.array(
    fc.record({
      waitMs: fc.integer({ min: 0, max: 20_000 }),
      input: fc.integer({ min: 1, max: 80 }),
      outputCap: fc.option(fc.integer({ min: 1, max: 80 })),
      output: fc.integer({ min: 0, max: 120 }),
    }),
    { maxLength: 60 },
  );

  it('who waits as told, while nothing else comes, is admitted, and a millisecond earlier is not', () => {
    fc.assert(
      fc.property(limits, arrivals, (given, requests) => {
        const limiter = createUpstreamLimiter(given);
        let nowMs = 0;
        for (const { waitMs, output, ...size } of requests) {
          nowMs += waitMs;
          const first = limiter.admit(nowMs, size);
          if (!first.isAdmitted && first.waitMs !== Number.POSITIVE_INFINITY) {
            if (first.waitMs > 1) expect(limiter.admit(nowMs + first.waitMs - 1, size).isAdmitted).toBe(false);
            nowMs += first.waitMs;
          }
          const verdict =
            first.isAdmitted || first.waitMs === Number.POSITIVE_INFINITY ? first : limiter.admit(nowMs, size);
          expect(verdict.isAdmitted || verdict.waitMs === Number.POSITIVE_INFINITY).toBe(true);
          if (verdict.isAdmitted) limiter.finish(nowMs, verdict.handle, { input: size.input, output });
        }
      }),
    );
  });

  it('the books add up to what was admitted and used', () => {
    fc.assert(
      fc.property(arrivals, fc.constantFrom(...CHARGES), (requests, charge) => {
        const limiter = createUpstreamLimiter({ rpd: 40, tpd: { limit: 4000, charge } });
        let nowMs = 0;
        let [count, tokens] = [0, 0];
        for (const { waitMs, output, ...size } of requests) {
          nowMs += waitMs;
          const verdict = limiter.admit(nowMs, size);
          if (!verdict.isAdmitted) continue;
          limiter.finish(nowMs, verdict.handle, { input: size.input, output });
          count += 1;
          tokens += size.input + (charge === 'keep' ? (size.outputCap ?? 0) : output);
        }
        const [requestBook, tokenBook] = limiter.limits.map((limit) => limit.report(nowMs));
        expect([requestBook?.admitted, requestBook?.charged, tokenBook?.admitted]).toEqual([count, count, count]);
        expect(tokenBook?.charged).toBe(tokens);
        expect(count + (requestBook?.refused ?? 0) + (tokenBook?.refused ?? 0)).toBe(requests.length);
      }),
    );
  });
});

describe('the books of a limit', () => {
  it('tell what was charged, what could have been, and when', () => {
    const limiter = createUpstreamLimiter({ rpm: { limit: 60, algorithm: 'fixed-window' } });
    for (let count = 0; count < 45; count++) admitted(limiter, 10_000);
    for (let count = 0; count < 60; count++) admitted(limiter, 70_000);
    expect(limiter.admit(70_000, { input: 1, outputCap: null }).isAdmitted).toBe(false);
    const [report] = limiter.limits.map((limit) => limit.report(120_000));
    expect(report).toMatchObject({ charged: 105, supply: 120, peak: 60, admitted: 105, refused: 1, level: 60 });
    expect(report?.windows.map(({ charged, utilisation }) => [charged, utilisation])).toEqual([
      [45, 0.75],
      [60, 1],
    ]);
  });

  it('begin anew without touching the level', () => {
    const limiter = createUpstreamLimiter({ tpm: 600 });
    admitted(limiter, 0, { input: 300, outputCap: null });
    for (const limit of limiter.limits) limit.restart(0);
    const [report] = limiter.limits.map((limit) => limit.report(10_000));
    expect(report).toMatchObject({ charged: 0, supply: 400, peak: 300, admitted: 0, level: 400, utilisation: 0 });
  });

  it('keep a day of reporting windows', () => {
    const limiter = createUpstreamLimiter({ rpm: 60 });
    const [report] = limiter.limits.map((limit) => limit.report(2 * 86_400_000));
    expect(report?.windows).toHaveLength(1440);
    expect(report?.windows[0]?.fromMs).toBe(86_400_000);
  });

  it('have no utilisation where nothing was supplied', () => {
    const limiter = createUpstreamLimiter({ tpm: { limit: 100, initial: 0 } });
    expect(limiter.limits[0]?.report(0)).toMatchObject({ supply: 0, utilisation: 0 });
  });
});

it.each(['token-bucket', 'sliding-log', 'fixed-window', 'sliding-counter', 'slices'] as const)(
  'a limit may be enforced as %s',
  (algorithm) => {
    const limiter = createUpstreamLimiter({ rpm: { limit: 60, algorithm } });
    admitted(limiter, 0);
    expect(limiter.limits[0]?.report(0)).toMatchObject({ algorithm, admitted: 1, used: 1 });
  },
);
