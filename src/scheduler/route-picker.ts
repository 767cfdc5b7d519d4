import type { Forecast, Start } from './forecast.ts';
import { isInPlay, openAt } from './in-play.ts';
import { SAME_INSTANT_MS } from './limits/limit.ts';
import type { RouteOption } from './model-routes.ts';
import type { Candidate } from './strategies/strategy.ts';
import type { Ticket } from './ticket.ts';

/**
 * The best start of a ticket: on one of the routes that can start it now, as the strategy likes, else on whichever is
 * ready first, the first of the file among equals.
 */
export class RoutePicker {
  readonly #forecast: Forecast;
  readonly #candidates: Candidate[] = [];

  constructor(forecast: Forecast) {
    this.#forecast = forecast;
  }

  /** Among all routes of its line. */
  pick(ticket: Ticket, now: number): Start | null {
    return this.#among(ticket, now, (option, best) => this.#forecast.startOn(ticket, option, { best, now }));
  }

  /** Among all routes of its line, where nobody else waits: the books alone decide. */
  pickByBooks(ticket: Ticket, now: number): Start | null {
    return this.#among(ticket, now, (option) => {
      const at = openAt(ticket, option, now);
      return at > now ? { option, at, waitsFor: null } : this.#forecast.startByBooks(ticket, option, now);
    });
  }

  /** Begins a choice that is made step by step, `among` as many routes at a time as are known to matter. */
  begin(): void {
    this.#candidates.length = 0;
  }

  /** The better of `best` and what one of `options` could do. */
  better(
    ticket: Ticket,
    best: Start | null,
    { options, now }: { options: readonly RouteOption[]; now: number },
  ): Start | null {
    let chosen = best;
    for (const option of options) {
      if (ticket.excluded?.has(option.route)) continue;
      const start = this.#forecast.startOn(ticket, option, { best: mustBeat(option, chosen), now });
      // Where it never fits is no start at all: nobody may be left waiting for it.
      if (start === null || start.at === Number.POSITIVE_INFINITY) continue;
      if (start.at <= now + SAME_INSTANT_MS) this.#candidates.push(option);
      if (chosen === null || isBefore(start, chosen)) chosen = start;
    }
    return chosen;
  }

  /** Ends it. */
  settle(ticket: Ticket, best: Start | null, now: number): Start | null {
    if (this.#candidates.length > 1) this.#candidates.sort((a, b) => a.index - b.index);
    return this.#candidates.length === 0 ? best : this.#choose(ticket, now);
  }

  #among(ticket: Ticket, now: number, startOn: (option: RouteOption, best: number) => Start | null): Start | null {
    this.begin();
    let best: Start | null = null;
    let bestAt = Number.POSITIVE_INFINITY;
    let target = 0;
    let bestBefore = Number.POSITIVE_INFINITY;
    for (const option of ticket.line.options) {
      if (option.target !== target) {
        target = option.target;
        bestBefore = bestAt;
      }
      const start = isInPlay(ticket, option, { bestBefore, now }) ? startOn(option, bestAt) : null;
      if (start === null) continue;
      if (start.at <= now + SAME_INSTANT_MS) this.#candidates.push(option);
      if (start.at >= bestAt) continue;
      best = start;
      bestAt = start.at;
    }
    return this.#candidates.length === 0 ? best : this.#choose(ticket, now);
  }

  #choose(ticket: Ticket, now: number): Start {
    const [only, another] = this.#candidates as [Candidate, Candidate | undefined];
    const option = another === undefined ? only : ticket.line.model.strategy(this.#candidates, ticket, now);
    return { option, at: now, waitsFor: null };
  }
}

/** Earlier, or as early and before it in the file. */
export function isBefore(a: Pick<Start, 'at' | 'option'>, b: Pick<Start, 'at' | 'option'>): boolean {
  return a.at < b.at || (a.at === b.at && a.option.index < b.option.index);
}

/** A start of the option that is not before this is no better. */
export function mustBeat(option: RouteOption, best: Pick<Start, 'at' | 'option'> | null): number {
  if (best === null) return Number.POSITIVE_INFINITY;
  return option.index < best.option.index ? best.at + SAME_INSTANT_MS : best.at;
}
