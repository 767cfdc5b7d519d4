import type { Charge } from '../charge.ts';
import type { Cost } from './cost.ts';
import type { Lease } from './lease.ts';
import type { Line } from './line.ts';
import type { Meter } from './meter.ts';
import type { ModelRoutes, RouteOption } from './model-routes.ts';
import type { Quota } from './quota.ts';
import type { Rejection } from './rejection.ts';
import type { Route } from './route.ts';
import type { Passed, Share, ShareTerms } from './shares/share.ts';

/** What a caller wants to send, and whom to tell. Exactly one of `onLease` and `onRejection` is called per wait. */
export interface TicketRequest {
  readonly id: string;
  readonly client: string;
  /** What its client is entitled to; absent: as everybody. */
  readonly share?: ShareTerms | undefined;
  readonly model: ModelRoutes;
  /** By target, in the order of the model's targets; null: this target can't serve the request. */
  readonly costs: readonly (Cost | null)[];
  /** What it is expected to cost in money, by target, all in one unit; null: not known. Absent: of none. */
  readonly prices?: readonly (number | null)[];
  /** The client's own limits; its tickets wait for them in a line of their own. */
  readonly clientQuota: Quota | null;
  /** Answer at once instead of waiting for the client's own limits. */
  readonly rejectsOnClientLimit: boolean;
  readonly maxWaitMs: number;
  /** The answer comes in events, so that its first byte comes long before its last. Absent: it does not. */
  readonly isStreamed?: boolean;
  /** Id of the route that served its conversation last; absent or null: it is new, or that does not matter. */
  readonly prefers?: string | null;
  /** Tickets that this client may have waiting for this model. */
  readonly maxQueueSize: number;
  /** What recognises a repeat of this request, such as client and hash of the body. Asked only when a place is kept. */
  readonly placeKey: () => string;
  /** Something else may serve it yet, so a refusal keeps no place before it is asked to. */
  readonly mayGoElsewhere?: boolean;
  /** It does not wait for routes that are out of service to come back: something else may serve it meanwhile. */
  readonly isImpatient?: boolean;
  readonly onLease: (lease: Lease) => void;
  readonly onRejection: (rejection: Rejection) => void;
  /**
   * What the request is after the configuration has changed: the same object if nothing changes for it, or another. Null:
   * that takes time to find out. Then its ticket leaves the queue until `Scheduler.resume` brings it back to its place.
   */
  readonly renewed?: () => TicketRequest | null;
}

interface TicketEntry {
  readonly share: Share;
  readonly order: number;
  readonly now: number;
  readonly hasPromise: boolean;
}

/**
 * A request on its way to a lease.
 *
 *     waiting ──lease──▶ leased ──again()──▶ waiting
 *        │                  └──end()──▶ done
 *        ├──cancel()──▶ done
 *        ├──rejection──▶ done
 *        └──new configuration──▶ withdrawn ──resume()──▶ waiting
 */
export class Ticket {
  /** Another one after the configuration has changed, and with it the line. */
  request: TicketRequest;
  line: Line;
  /** By whose virtual time it has its turn. */
  share: Share;
  /** What it counts for there: the tokens that it is expected to cost. */
  shareTokens: number;
  /** Whom its lease was granted before. */
  passed: Passed | undefined;
  /**
   * Its place among those of its client: that of its arrival, kept through retries, unless it has passed others because it is
   * more urgent. Whoever comes back for a kept place arrives anew.
   */
  order: number;
  readonly arrivedAt: number;
  readonly deadline: number;
  state: 'waiting' | 'leased' | 'withdrawn' | 'done' = 'waiting';
  /** Where and when the plan lets it start; null while it has no booking. */
  booking: { readonly option: RouteOption; readonly at: number; readonly waitsFor: Meter | null } | null = null;
  /** It has passed others of its client. */
  isUrgent = false;
  /** In the walk in which it was booked: whoever is booked after it has a higher one. */
  rank = 0;
  /** What was foretold last: the start as the plan or the backlog sees it. */
  predictedAt: number;
  /** The first prediction, kept to learn how far predictions are off. */
  firstPredictedAt: number | null = null;
  /** The limit that its first booked start waited for. */
  waitsFor: Meter | null = null;
  /** A retry may not start before it. */
  notBefore = 0;
  excluded: Set<Route> | null = null;
  /** It waits, so it counts in full. */
  readonly weight = 1;
  /** Whether a promise was made: then its length is no reason to reject it. */
  readonly hasPromise: boolean;

  constructor(request: TicketRequest, line: Line, entry: TicketEntry) {
    this.request = request;
    this.line = line;
    this.share = entry.share;
    this.shareTokens = shareTokensOf(firstCost(request.costs).expected);
    this.order = entry.order;
    this.arrivedAt = entry.now;
    this.predictedAt = entry.now;
    this.deadline = entry.now + request.maxWaitMs;
    this.hasPromise = entry.hasPromise;
  }

  get hasLeft(): boolean {
    return this.state === 'done' || this.state === 'withdrawn';
  }

  get isWaiting(): boolean {
    return this.state === 'waiting';
  }

  costOn(option: RouteOption): Cost | null {
    return this.request.costs[option.target] ?? null;
  }
}

/** The order of those of one client. Between clients it depends on what each of them got: see `shares/fair-walk.ts`. */
export function compareTickets(a: { readonly order: number }, b: { readonly order: number }): number {
  return a.order - b.order;
}

/** Of a target that can serve it; all charge about the same. */
export function firstCost(costs: TicketRequest['costs']): Cost {
  return costs.find((each) => each !== null) as Cost;
}

/** What a charge counts for between clients, in tokens. */
export function shareTokensOf([requests, tokens]: Charge): number {
  return requests === 0 && tokens === 0 ? 0 : Math.max(FEWEST_TOKENS, tokens);
}

/** A request is never for nothing: where requests are what is limited, a flood of tiny ones takes from others too. */
const FEWEST_TOKENS = 100;
