import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSavedBooks } from '../../src/state/is-saved-books.ts';

const limit = {
  unit: 'tokens',
  windowMs: 60_000,
  source: 'header',
  snapshot: {
    capacity: 100,
    used: [
      [10, 5],
      [0, 7],
    ],
  },
};
const quota = { id: 'q', restsForMs: 0, restReason: null, limits: [limit] };
const budget = { client: 'web', periodStartMs: 0, spentUsd: 1.5, aheadUsd: 0 };
const books = { savedAtWallMs: 1, isFinal: true, quotas: [quota] };

test('books as we write them are ours', () => {
  expect(isSavedBooks(books)).toBe(true);
  expect(isSavedBooks({ ...books, quotas: [] })).toBe(true);
  expect(isSavedBooks({ ...books, budgets: [budget] })).toBe(true);
  expect(isSavedBooks({ ...books, quotas: [{ ...quota, restReason: 'throttled', limits: [] }] })).toBe(true);
});

test('books of a version that knows more are ours as well, as are those of one that knows less', () => {
  const more = { ...quota, colour: 'red', limits: [{ ...limit, shape: { round: true } }] };
  expect(isSavedBooks({ ...books, clients: [{ name: 'web', spentUsd: 3 }], quotas: [more] })).toBe(true);
  expect(isSavedBooks({ ...books, quotas: [{ ...quota, gap: { endedAgoMs: -2_000, forMs: 2_000 } }] })).toBe(true);
});

test.each([
  ['a gap that is none', { ...books, quotas: [{ ...quota, gap: {} }] }],
  ['an instant that is none', { ...books, savedAtWallMs: null }],
  ['no word on the end', { ...books, isFinal: undefined }],
  ['quotas that are no list', { ...books, quotas: {} }],
  ['a quota without a name', { ...books, quotas: [{ ...quota, id: 1 }] }],
  ['an unknown reason to rest', { ...books, quotas: [{ ...quota, restReason: 'tired' }] }],
  ['a rest without a length', { ...books, quotas: [{ ...quota, restsForMs: null }] }],
  ['no limits', { ...books, quotas: [{ ...quota, limits: null }] }],
  ['an unknown unit', { ...books, quotas: [{ ...quota, limits: [{ ...limit, unit: 'in_flight' }] }] }],
  ['an unknown source', { ...books, quotas: [{ ...quota, limits: [{ ...limit, source: 'rumour' }] }] }],
  ['a window without a length', { ...books, quotas: [{ ...quota, limits: [{ ...limit, windowMs: '60' }] }] }],
  ['budgets that are no list', { ...books, budgets: {} }],
  ['a budget of nobody', { ...books, budgets: [{ ...budget, client: 7 }] }],
  ['a budget that began at no time', { ...books, budgets: [{ ...budget, periodStartMs: 'monday' }] }],
  ['less spent than nothing', { ...books, budgets: [{ ...budget, spentUsd: -1 }] }],
  ['an allowance that is no number', { ...books, budgets: [{ ...budget, aheadUsd: null }] }],
  ['no snapshot', { ...books, quotas: [{ ...quota, limits: [{ ...limit, snapshot: null }] }] }],
  [
    'uses that are no pairs',
    { ...books, quotas: [{ ...quota, limits: [{ ...limit, snapshot: { capacity: 1, used: [[1, 2, 3]] } }] }] },
  ],
])('books with %s are not', (_what, value) => {
  expect(isSavedBooks(value)).toBe(false);
});

test('whatever else somebody puts into the file is looked at without an exception', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(isSavedBooks(value)).toBe(false);
      expect(isSavedBooks({ ...books, quotas: value })).toBe(Array.isArray(value) && value.length === 0);
    }),
  );
});
