import type { Unit } from '../charge.ts';
import type { Clock } from '../clock.ts';
import type { SavedBooks, SavedGap, SavedQuota } from './limit-store.ts';
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
  const saved = new Map<string, SavedQuota>();
  if (before !== null) for (const quota of before.quotas) saved.set(quota.id, older(quota, ageOf(before, clock)));
  for (const quota of quotas) saved.set(quota.id, saveQuota(quota, now));
  return { savedAtWallMs: clock.wallNow(), isFinal, quotas: [...saved.values()].filter(saysSomething) };
}

/** Names that clients make up become quotas without limits: they must not pile up in the file. */
function saysSomething({ limits, restsForMs }: SavedQuota): boolean {
  return limits.length > 0 || restsForMs > 0;
}

/** The wall clock may have been set back since. */
function ageOf({ savedAtWallMs }: SavedBooks, clock: Clock): number {
  return Math.max(0, clock.wallNow() - savedAtWallMs);
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
  const gap = quota.gap && { ...quota.gap, endedAgoMs: quota.gap.endedAgoMs + ageMs };
  return { ...quota, limits, restsForMs: Math.max(0, quota.restsForMs - ageMs), gap };
}

/**
 * Books as the next process finds them. After a crash each quota has a gap, from the last write to the one that never came;
 * it stays in the books of those that nobody asks for, however many processes come and go until somebody does.
 */
export function foundBooks(saved: SavedBooks, writeEveryMs: number): SavedBooks {
  if (saved.isFinal) return saved;
  const { savedAtWallMs, aliveAtWallMs = savedAtWallMs } = saved;
  const forMs = Math.max(0, aliveAtWallMs - savedAtWallMs) + writeEveryMs;
  const quotas = saved.quotas.map((quota) => ({
    ...quota,
    // Two gaps are one that is as long as both and as late as the later: never too little.
    gap: { endedAgoMs: -forMs, forMs: forMs + (quota.gap?.forMs ?? 0) },
  }));
  return { ...saved, quotas };
}

/** Takes over books that were found. Whatever could have been granted in a gap counts as used. */
export function restoreBooks(quotas: Iterable<Quota>, saved: SavedBooks, clock: Clock): void {
  const now = clock.now();
  const ageMs = ageOf(saved, clock);
  const byId = new Map(saved.quotas.map((quota) => [quota.id, quota]));
  for (const quota of quotas) {
    const books = byId.get(quota.id);
    if (!books) continue;
    restoreQuota(quota, books, { now, ageMs });
    if (books.gap) bookUnwritten(quota, books.gap, { now, ageMs });
  }
}

function restoreQuota(quota: Quota, books: SavedQuota, { now, ageMs }: { now: number; ageMs: number }): void {
  let isKnown = false;
  for (const { unit, windowMs, source, snapshot } of books.limits) {
    const limit = restoredLimit(quota, { unit, windowMs, source, snapshot }, now);
    if (limit === null) continue;
    // What a refusal told may be old: what somebody writes down stands over it, until the next one.
    if (source === 'header') limit.seeCapacity(snapshot.capacity, now);
    limit.primary.restore(snapshot, ageMs, now);
    isKnown = true;
  }
  if (isKnown) quota.gate.open();
  if (books.restReason !== null) quota.rest(now + books.restsForMs - ageMs, books.restReason);
}

/** What was configured then and is not now is no limit any more; what an upstream taught still is. */
function restoredLimit(
  quota: Quota,
  { unit, windowMs, source, snapshot }: SavedQuota['limits'][number],
  now: number,
): QuotaLimit | null {
  const reading = { unit, windowMs, limit: snapshot.capacity, remaining: null };
  if (source === 'config') return quota.limits.find((limit) => limit.describes(reading)) ?? null;
  return quota.limitFor(reading, source, now);
}

/**
 * Of the time that nobody wrote down: each limit's whole level, but no more than the strictest limit of the same unit
 * lets through, dated as late as it could have been. A day is not lost to a crash where a minute's limit stands beside it.
 */
function bookUnwritten(
  quota: Quota,
  { endedAgoMs, forMs }: SavedGap,
  { now, ageMs }: { now: number; ageMs: number },
): void {
  const agoMs = Math.max(0, ageMs + endedAgoMs);
  const last = { at: now - agoMs, forMs };
  const amounts = quota.limits.map(({ primary }) =>
    Math.min(primary.level(last.at), mostOf(quota, primary.unit, last)),
  );
  for (const [index, { primary, refills }] of quota.limits.entries()) {
    const amount = Math.max(0, amounts[index] as number);
    if (refills) primary.take(amount, last.at);
    else primary.restore({ capacity: primary.capacity, used: [[0, amount]] }, agoMs, now);
  }
}

/** What all limits of a unit, paces and slices among them, let through in so long a time. */
function mostOf(quota: Quota, unit: Unit, { at, forMs }: { at: number; forMs: number }): number {
  const same = quota.meters.filter(({ unitName }) => unitName === unit);
  return Math.min(...same.map(({ limit }) => limit.level(at) + (limit.capacity * forMs) / limit.windowMs));
}
