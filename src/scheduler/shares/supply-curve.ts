import type { Line } from '../line.ts';
import type { ModelRoutes } from '../model-routes.ts';
import type { Ticket } from '../ticket.ts';

/** Who waits alike: in one line, and on the same of its routes. */
type Alike = Pick<Ticket, 'line' | 'excluded' | 'costOn' | 'request'>;

/** When whoever has how much ahead of it starts, as far as those alike were met. */
interface Points {
  /** Tokens that are ahead, rising. */
  readonly ahead: number[];
  readonly at: number[];
}

/** What was found of a line. */
interface LinePoints {
  /** By unit: what surely passes on all of its routes. */
  readonly small: readonly number[];
  /** By the routes that those alike can not go to. */
  readonly byClosed: Map<string, Points>;
}

/** One that was met in the walk. */
interface Met {
  readonly at: number;
  readonly tokens: number;
  readonly points: Points;
}

/** What was found in a walk through all who wait for a model. */
interface Curve {
  readonly lines: Map<Line, LinePoints>;
  readonly met: Met[];
  /** What had been granted when the walk began. */
  readonly grantedBefore: number;
}

/**
 * What the limits of each model let through from now on, as the last walk through the queue has found: also where they let
 * nothing pass for half a minute, and then much at once.
 *
 * One that waits for its client's own limit, or for the only key that is large enough, says nothing of others that do not.
 */
export class SupplyCurves {
  readonly #granted = new WeakMap<ModelRoutes, number>();
  #curves = new Map<ModelRoutes, Curve>();
  #building = new Map<ModelRoutes, Curve>();

  granted({ line, shareTokens }: Ticket): void {
    this.#granted.set(line.model, this.#grantedOf(line.model) + shareTokens);
  }

  /** A walk begins. */
  begin(): void {
    this.#building = new Map();
  }

  /** The next of the walk starts then. Infinity: nobody knows when, and it is in nobody's way. */
  next(ticket: Ticket, at: number): void {
    if (at === ENDLESS) return;
    const { model } = ticket.line;
    let curve = this.#building.get(model);
    if (curve === undefined) {
      curve = { lines: new Map(), met: [], grantedBefore: this.#grantedOf(model) };
      this.#building.set(model, curve);
    }
    curve.met.push({ at, tokens: ticket.shareTokens, points: pointsFor(ticket, curve) });
  }

  /** The walk has come to its end. Ahead of somebody is whoever starts before, whatever the order of the walk. */
  end(): void {
    for (const { met } of this.#building.values()) {
      let tokens = 0;
      for (const each of met.sort((a, b) => a.at - b.at)) {
        each.points.ahead.push(tokens);
        each.points.at.push(each.at);
        tokens += each.tokens;
      }
      met.length = 0;
    }
    this.#curves = this.#building;
  }

  /**
   * When a ticket with so many tokens ahead of it will start.
   * @param supply in tokens a ms: where the last walk has met nobody like it, and beyond the end of those
   */
  startOf(ticket: Alike, aheadTokens: number, { supply, now }: { supply: number; now: number }): number {
    const { model } = ticket.line;
    const curve = this.#curves.get(model);
    const ofLine = curve?.lines.get(ticket.line);
    const points = ofLine?.byClosed.get(closedTo(ticket, ofLine));
    if (curve === undefined || points === undefined) return now + aheadTokens / supply;
    const ahead = aheadTokens + this.#grantedOf(model) - curve.grantedBefore;
    const last = points.ahead.length - 1;
    if (ahead > (points.ahead[last] as number)) {
      return (points.at[last] as number) + (ahead - (points.ahead[last] as number)) / supply;
    }
    let [low, high] = [0, last];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((points.ahead[middle] as number) < ahead) low = middle + 1;
      else high = middle;
    }
    return points.at[low] as number;
  }

  #grantedOf(model: ModelRoutes): number {
    return this.#granted.get(model) ?? 0;
  }
}

function pointsFor(ticket: Ticket, { lines }: Curve): Points {
  let ofLine = lines.get(ticket.line);
  if (ofLine === undefined) {
    ofLine = { small: smallOf(ticket.line), byClosed: new Map() };
    lines.set(ticket.line, ofLine);
  }
  const closed = closedTo(ticket, ofLine);
  let points = ofLine.byClosed.get(closed);
  if (points === undefined) {
    points = { ahead: [], at: [] };
    ofLine.byClosed.set(closed, points);
  }
  return points;
}

function smallOf({ options }: Line): readonly number[] {
  const small = [ENDLESS, ENDLESS, ENDLESS, ENDLESS, ENDLESS];
  for (const { route } of options) {
    for (const { unit, limit } of route.meters) small[unit] = Math.min(small[unit] as number, limit.capacity);
  }
  return small;
}

/** The routes of its line that it cannot go to, as a name: it is too large for them, or has failed there. Mostly none. */
function closedTo(ticket: Alike, { small }: LinePoints): string {
  const { line, excluded, request } = ticket;
  const isSmall = request.costs.every(
    (cost) => cost === null || cost.certain.every((n, i) => n <= (small[i] as number)),
  );
  if (isSmall && excluded === null) return '';
  let closed = '';
  for (const option of line.options) {
    const cost = ticket.costOn(option);
    const isOpen = cost !== null && option.route.meters.every((meter) => meter.canEverTake(cost));
    if (!isOpen || excluded?.has(option.route)) closed += ` ${option.index}`;
  }
  return closed;
}

const ENDLESS = Number.POSITIVE_INFINITY;
