import type { Clock } from '../clock.ts';
import type { SavedBooks, SavedQuota } from './limit-store.ts';
import type { Quota } from './quota.ts';
import type { QuotaLimit } from './quota-limit.ts';

/**
 * The books of all quotas, for the store. What is in flight is not written: a process that ends has nothing in flight.
 * Quotas of `before` that nobody has asked for yet are written again, only older.
 */
export function saveBooks(
  { quotas, before }: { readonly quotas: Iterable<Quota>; readonly before: SavedBooks | null },
  clock: Clock,
  isFinal: boolean,
): SavedBooks {
  const now = clock.now();
  const wall = clock.wallNow();
  const saved = new Map<string, SavedQuota>();
  for (const quota of before?.quotas ?? []) saved.set(quota.id, older(quota, wall - (before?.savedAtWallMs ?? wall)));
  for (const quota of quotas) saved.set(quota.id, saveQuota(quota, now));
  return { savedAtWallMs: wall, isFinal, quotas: [...saved.values()] };
}

function saveQuota(quota: Quota, now: number): SavedQuota {
  const limits = quota.limits.flatMap(({ primary, source }) => {
    const { unit, windowMs } = primary;
    return unit === 'in_flight' ? [] : [{ unit, windowMs, source, snapshot: primary.snapshot(now) }];
  });
  const restsForMs = Math.max(0, quota.restsUntil - now);
  return { id: quota.id, limits, restsForMs, restReason: quota.restReason };
}

function older(quota: SavedQuota, ageMs: number): SavedQuota {
  const limits = quota.limits.map((limit) => ({
    ...limit,
    snapshot: { ...limit.snapshot, used: limit.snapshot.used.map(([age, amount]) => [age + ageMs, amount] as const) },
  }));
  return { ...quota, limits, restsForMs: Math.max(0, quota.restsForMs - ageMs) };
}

/**
 * Takes over books that were written before. After a crash, whatever could have been granted between the last write and
 * the one that never came counts as used.
 */
export function restoreBooks(
  quotas: Iterable<Quota>,
  saved: SavedBooks,
  { clock, writeEveryMs }: { readonly clock: Clock; readonly writeEveryMs: number },
): void {
  const now = clock.now();
  const ageMs = Math.max(0, clock.wallNow() - saved.savedAtWallMs);
  const byId = new Map(saved.quotas.map((quota) => [quota.id, quota]));
  for (const quota of quotas) {
    const books = byId.get(quota.id);
    if (!books) continue;
    restoreQuota(quota, books, { now, ageMs });
    if (!saved.isFinal) for (const limit of quota.limits) bookUnwritten(limit, { now, ageMs, writeEveryMs });
  }
}

function restoreQuota(quota: Quota, books: SavedQuota, { now, ageMs }: { now: number; ageMs: number }): void {
  let isKnown = false;
  for (const { unit, windowMs, source, snapshot } of books.limits) {
    const limit = quota.limitFor({ unit, windowMs, limit: snapshot.capacity, remaining: null }, source, now);
    if (limit === null) continue;
    if (source !== 'config') limit.seeCapacity(snapshot.capacity, now);
    limit.primary.restore(snapshot, ageMs, now);
    isKnown = true;
  }
  if (isKnown) quota.gate.open();
  if (books.restReason !== null) quota.rest(now + books.restsForMs - ageMs, books.restReason);
}

function bookUnwritten(
  { primary, refills }: QuotaLimit,
  { now, ageMs, writeEveryMs }: { now: number; ageMs: number; writeEveryMs: number },
): void {
  if (primary.windowMs === 0 || ageMs >= primary.windowMs) return;
  const refilled = refills ? (primary.capacity * (ageMs - writeEveryMs)) / primary.windowMs : 0;
  const grantable = primary.level(now) - Math.max(0, refilled);
  if (grantable > 0) primary.take(grantable, now);
}
