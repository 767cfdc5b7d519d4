import type { FlowLog } from './flow-log.ts';
import type { LevelBounds } from './limits/limit.ts';
import { latestRefundMs } from './limits/recent-spending.ts';

/** What a head said, and what is known of the limit it speaks of. Times are monotonic ms, amounts of the limit's unit. */
export interface Snapshot {
  /** What the head says is left; the request that it answers is already taken off. */
  readonly remaining: number;
  readonly limit: number;
  /** When the request that it answers was sent. */
  readonly sentAt: number;
  readonly now: number;
  readonly skewMs: number;
  /** What flows back by itself each ms; 0 for a window, where amounts come back when they are a window old. */
  readonly ratePerMs: number;
  /** Length of a window. Without it nothing is taken to have come back since the snapshot. */
  readonly windowMs?: number;
  readonly flow: FlowLog;
  /** All that the upstream may have given back before it was made has been booked here as well. */
  readonly mayRaise: boolean;
  /** What `flow` holds for the answered request itself within a skew of `sentAt`: of it alone it is sure that it counts. */
  readonly ownAmount?: number;
  /** What the answered request may yet be charged at its end. */
  readonly ownUnsure?: number;
  /** The vendor rounds down to multiples of this. */
  readonly roundingUp?: number;
}

/**
 * What a head proves about the level now.
 *
 *         sentAt - skew     sentAt         sentAt + skew           now
 *     ─────────┼──────────────┼───────────────────┼─────────────────┼──▶
 *     surely   │        undecided: in it, or not  │  surely not     │
 *     in it    │              └── the snapshot was made in here     │
 *
 * The snapshot was made at some instant between the sending and a skew later. What we sent within a skew of the sending,
 * on either side, may or may not be in it, which is the width of the bounds. A refund is made upstream before it is made
 * here, by up to `latestRefundMs`; until then it is undecided as well.
 *
 * What came back since by itself: a bucket's refill is known but for the skew. A window's expiries are at most what we
 * sent one window earlier (where the log is too short for that, as for days, an even share of the limit stands for
 * it), and at least nothing: too low a lower bound only leaves the books as they are.
 *
 * An output without a cap is booked here when it is sent, and by many upstreams only when it has ended. What was under way
 * may be missing from the snapshot by as much, so nothing above that is proved to be there.
 *
 * Null: it is older than the log of what was sent, or the limit is unknown, so it proves nothing.
 */
export function levelBounds(snapshot: Snapshot): LevelBounds | null {
  const { remaining, limit, sentAt, now, skewMs, flow, mayRaise, ownAmount = 0, roundingUp = 0 } = snapshot;
  if (limit === Number.POSITIVE_INFINITY || !flow.covers(sentAt - skewMs)) return null;
  const isAround = flow.sentBetween(sentAt - skewMs, Math.min(now, sentAt + skewMs));
  const isLater = flow.sentBetween(sentAt - skewMs, now) - isAround;
  const undecided = Math.max(0, isAround - ownAmount);
  const unsure = flow.unsureBefore(sentAt - skewMs) + (snapshot.ownUnsure ?? 0);
  const back = cameBack(snapshot);
  return {
    now,
    lowest: Math.min(limit, remaining + back.least) - isLater - undecided - unsure,
    highest: Math.min(limit, remaining + roundingUp + back.most - isLater),
    mayRaise,
  };
}

/** What the level gained since the snapshot, refunds included. */
function cameBack(snapshot: Snapshot): { least: number; most: number } {
  const { sentAt, now, skewMs, ratePerMs, flow } = snapshot;
  const refunded = flow.refundedBetween(sentAt, now);
  if (ratePerMs === 0) return { least: 0, most: refunded + expired(snapshot) };
  const settledMs = refundsKnownAfterMs(skewMs);
  return {
    least: ratePerMs * Math.max(0, now - sentAt - skewMs) + flow.refundedBetween(sentAt + settledMs, now),
    most: ratePerMs * (now - sentAt) + refunded,
  };
}

function expired({ limit, sentAt, now, skewMs, windowMs = Number.POSITIVE_INFINITY, flow }: Snapshot): number {
  const since = sentAt - skewMs - windowMs;
  if (flow.covers(since)) return flow.sentBetween(since, now - windowMs);
  return (limit * (now - sentAt + skewMs)) / windowMs;
}

/** When all refunds that a snapshot may hold have been made here as well, in ms from the sending. */
export function refundsKnownAfterMs(skewMs: number): number {
  return skewMs + latestRefundMs(skewMs);
}
