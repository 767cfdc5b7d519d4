import type { PredictionError } from '../prediction-error.ts';
import { firstCost, type Ticket } from '../ticket.ts';
import type { SupplyCurves } from './supply-curve.ts';

/** How a newcomer fares among its own client's tickets. */
export interface OwnOutlook {
  /** It would start in time, and so would everybody of its client who was told to come back. */
  readonly isInTime: boolean;
  /** Until it would start behind all of those, in ms. */
  readonly behindAllMs: number;
}

/** A client's own part of the queue: where a newcomer stands when others compete with it, and whom it may pass. */
export class OwnPart {
  readonly #curves: SupplyCurves;
  readonly #error: PredictionError;

  constructor(curves: SupplyCurves, error: PredictionError) {
    this.#curves = curves;
    this.#error = error;
  }

  /** Foretells a newcomer's start: when the plan books it, else when what its client has ahead of it has been served. */
  foretell(ticket: Ticket, now: number): OwnOutlook {
    const { share, shareTokens, line, request } = ticket;
    const { flow } = line;
    const ahead = flow.waitingTokens(share, now) - shareTokens;
    if (!ticket.isUrgent) ticket.predictedAt = ticket.booking?.at ?? this.#startBehind(ticket, ahead, now);
    ticket.waitsFor ??= line.waitsFor;
    const isSoon = ticket.predictedAt - now <= request.maxWaitMs * (1 - this.#error.margin);
    const isInTime = isSoon && (ticket.hasPromise || flow.makesRoom(share, shareTokens, now));
    return { isInTime, behindAllMs: this.behindAllMs(ticket, now) };
  }

  /** The same for one that finds the queue full: it is not among those that wait. */
  foretellOutside(ticket: Ticket, now: number): OwnOutlook {
    const { share, line } = ticket;
    ticket.predictedAt = this.#startBehind(ticket, line.flow.waitingTokens(share, now), now);
    ticket.waitsFor = line.waitsFor;
    return { isInTime: false, behindAllMs: this.behindAllMs(ticket, now) };
  }

  /**
   * Whoever gives up sooner goes before others of its client that wait for the same and have the time: none of them may become
   * too late by it.
   */
  makeWay(newcomer: Ticket, now: number): void {
    const { share, shareTokens, line, deadline } = newcomer;
    const lane = line.queue.laneOf(share);
    if (!lane || (lane.youngest() as Ticket).deadline <= deadline) return;
    const rate = line.flow.rate(share, now);
    if (rate === null) return;
    const delayMs = shareTokens / rate;
    const passed = lane.makeWay(newcomer, (older) => older.deadline > deadline && this.#hasTime(older, delayMs));
    const first = passed.at(-1);
    if (first === undefined) return;
    newcomer.isUrgent = true;
    newcomer.predictedAt = first.predictedAt;
    for (const older of passed) if (older.booking === null) older.predictedAt += delayMs;
  }

  /**
   * Its client's turns come between those of others, so that more than its own is served before it: as much more as all get
   * more than its client does.
   */
  #startBehind(ticket: Ticket, ownTokens: number, now: number): number {
    const { share } = ticket;
    const { flow } = ticket.line;
    const [rate, supply] = [flow.rate(share, now), flow.supply(now)];
    if (rate === null || supply === null) return now;
    const tokens = ownTokens + share.class.pool.leadTokens(share);
    const at = this.#curves.startOf(ticket, (tokens * supply) / rate, { supply, now });
    return Math.max(now, at, behindOwnLimit(ticket));
  }

  /** Until it would start behind all of its client's, those included who were told to come back. */
  behindAllMs({ share, line, predictedAt }: Ticket, now: number): number {
    const { flow } = line;
    const rate = flow.rate(share, now);
    return predictedAt - now + (rate === null ? 0 : flow.promisedTokens(share, now) / rate);
  }

  #hasTime({ arrivedAt, predictedAt, request }: Ticket, delayMs: number): boolean {
    return predictedAt + delayMs <= arrivedAt + request.maxWaitMs * (1 - this.#error.margin);
  }
}

/** Where its client has limits of its own: behind whoever waits for them, and by as much as they let through at a time. */
function behindOwnLimit(ticket: Ticket): number {
  const { line, share, request } = ticket;
  const last = line.clientQuota && line.queue.laneOf(share)?.youngest(ticket);
  if (!last) return Number.NEGATIVE_INFINITY;
  const cost = firstCost(request.costs);
  const gapsMs = line.clientQuota.meters.map((meter) => {
    return (meter.expected(cost) * meter.limit.windowMs) / meter.limit.capacity;
  });
  return last.predictedAt + Math.max(0, ...gapsMs);
}
