import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkCounts } from '../../src/tokens/chunk-counts.ts';
import { RecentMap } from '../../src/tokens/recent-map.ts';
import { spreadStep } from '../../src/tokens/spread.ts';
import { TextCache } from '../../src/tokens/text-cache.ts';

describe('spreadStep', () => {
  it('walks through every index once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), (length) => {
        const step = spreadStep(length);
        const seen = new Set(Array.from({ length }, (_, index) => (index * step) % length));
        expect(seen.size).toBe(length);
      }),
    );
  });

  it('has seen every tenth of the whole after 30 steps', () => {
    for (const length of [100, 1000, 4096, 9973]) {
      const step = spreadStep(length);
      const tenths = new Set(
        Array.from({ length: 30 }, (_, index) => Math.floor((((index * step) % length) * 10) / length)),
      );
      expect(tenths.size).toBe(10);
    }
  });
});

describe('ChunkCounts', () => {
  it('gives what was put in, and 0 for anything else', () => {
    const counts = new ChunkCounts(4);
    counts.set(1, 10, 3);
    expect(counts.get(1, 10)).toBe(3);
    expect(counts.get(1, 11)).toBe(0);
    expect(counts.get(2, 10)).toBe(0);
  });

  it('keeps two chunks of one place, and displaces by a third', () => {
    const counts = new ChunkCounts(4);
    counts.set(1, 10, 3);
    counts.set(1, 20, 4);
    expect([counts.get(1, 10), counts.get(1, 20)]).toEqual([3, 4]);
    counts.set(1, 31, 5);
    expect([counts.get(1, 10), counts.get(1, 20), counts.get(1, 31)]).toEqual([3, 0, 5]);
    counts.set(1, 40, 6);
    expect([counts.get(1, 10), counts.get(1, 31), counts.get(1, 40)]).toEqual([0, 5, 6]);
  });
});

describe('TextCache', () => {
  const entry = (text: string, tokens = 1) => ({ text, tokens, isExact: true });

  it('holds what is offered only when it comes again, since most prompts never do', () => {
    const cache = new TextCache(1e6);
    const text = 'seldom'.repeat(100);
    cache.offer(entry(text, 7));
    expect(cache.heldChars).toBe(0);
    cache.offer(entry('another'.repeat(100)));
    cache.offer(entry(text, 7));
    expect(cache.get(text)?.tokens).toBe(7);
    expect(cache.heldChars).toBe(600);
  });

  it('finds an equal text, never one that only looks alike', () => {
    const cache = new TextCache(1e6);
    const text = 'x'.repeat(5000);
    cache.set(entry(text, 7));
    expect(cache.get('x'.repeat(5000))?.tokens).toBe(7);
    expect(cache.get(`${'x'.repeat(100)}y${'x'.repeat(4899)}`)).toBeUndefined();
    expect(cache.get('x'.repeat(4999))).toBeUndefined();
  });

  it('drops what was not used for the longest time when it is full', () => {
    const cache = new TextCache(1000);
    const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((char) => char.repeat(240));
    for (const text of [a, b, c, d]) cache.set(entry(text ?? ''));
    cache.get(a ?? '');
    cache.set(entry(e ?? ''));
    expect([a, b, c].map((text) => cache.get(text ?? '')?.tokens)).toEqual([1, undefined, 1]);
    expect(cache.heldChars).toBe(960);
  });

  it('holds one text once, and none that would turn out a quarter of the others', () => {
    const cache = new TextCache(1000);
    cache.set(entry('a'.repeat(250), 1));
    cache.set(entry('a'.repeat(250), 2));
    cache.set(entry('b'.repeat(251)));
    expect(cache.get('a'.repeat(250))?.tokens).toBe(2);
    expect(cache.heldChars).toBe(250);
  });
});

describe('RecentMap', () => {
  it('keeps the half that was used last, and never more than the whole', () => {
    const keys = fc.array(fc.integer({ min: 0, max: 20 }).map(String), { maxLength: 80 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), keys, (half, used) => {
        const map = new RecentMap<string>(2 * half);
        for (const key of used) expect(map.getOrCreate(key, () => key)).toBe(key);
        expect(map.size).toBeLessThanOrEqual(2 * half);
        const latest = [...new Set(used.toReversed())].slice(0, half);
        for (const key of latest.toReversed()) expect(map.get(key)).toBe(key);
      }),
    );
  });

  it('drops what was not used for the longest time', () => {
    const map = new RecentMap<number>(2);
    map.getOrCreate('a', () => 1);
    map.getOrCreate('b', () => 2);
    map.get('a');
    map.getOrCreate('c', () => 3);
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, 3]);
    expect(map.size).toBe(2);
  });
});
