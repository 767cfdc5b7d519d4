import type { TicketNote } from './ticket-notes.ts';

/**
 * Pairs out of order: a younger ticket started while an older one waited, although the older needed no more of any route.
 * All have the same routes. Whoever comes back to a kept place has an old order and a young arrival.
 */
export function orderViolations(tickets: readonly TicketNote[]): number {
  const started = tickets.filter(({ startedAt }) => startedAt !== null);
  let violations = 0;
  for (const younger of started) {
    const at = younger.startedAt as number;
    for (const older of tickets) {
      if (older.arrival < 0 || older.arrival >= younger.arrival || older.arrivedAt > at) continue;
      const isWaiting = older.rejection === null && (older.startedAt === null || older.startedAt > at);
      if (isWaiting && needsNoMore(older, younger)) violations += 1;
    }
  }
  return violations;
}

function needsNoMore(older: TicketNote, younger: TicketNote): boolean {
  return older.reserved.every((tokens, target) => tokens <= (younger.reserved[target] ?? 0));
}
