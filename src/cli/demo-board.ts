import type { Answer } from './demo-caller.ts';

/** A place in Sluice's queue. Instants are monotonic ms. */
interface Place {
  /** Which key it is planned for; null: further back, where that is still open. */
  readonly key: string | null;
  readonly since: number;
  readonly startsAt: number;
}

/** asking ──▶ served or failed; asking ──▶ away, when it was refused, ──▶ asking, when it may come back. */
type State =
  | { readonly kind: 'asking'; readonly since: number; readonly place: Place | null }
  | { readonly kind: 'away'; readonly until: number }
  | Exclude<Answer, { kind: 'refused' }>;

interface Refusal {
  /** From asking to the refusal. */
  readonly afterMs: number;
  readonly retryAfterMs: number;
}

export interface BurstRequest {
  readonly number: number;
  readonly state: State;
  /** Each time that it was refused, oldest first. */
  readonly refusals: readonly Refusal[];
}

/** Who is where. */
export interface Standing {
  readonly served: readonly { readonly number: number; readonly key: string; readonly queuedMs: number }[];
  /** On their way to a key, or being answered. */
  readonly running: readonly number[];
  /** Whoever starts first in front; those without a planned key at the end. */
  readonly waiting: readonly ({ readonly number: number } & Place)[];
  /** Refused, and told when to come back; whoever does first in front. */
  readonly away: readonly { readonly number: number; readonly until: number }[];
  readonly failed: readonly { readonly number: number; readonly reason: string }[];
}

/** What `GET /queue` tells of one waiting request. */
export interface Ticket {
  readonly request: string;
  readonly waitedMs: number;
  /** Null: nobody knows. */
  readonly startsInMs: number | null;
  readonly route: { readonly key: string } | null;
}

/** What has become of each request of a burst so far. Requests are numbered from 1. */
export class Board {
  readonly startedAt: number;
  #requests: BurstRequest[];

  constructor(count: number, now: number) {
    this.startedAt = now;
    const state: State = { kind: 'asking', since: now, place: null };
    this.#requests = Array.from({ length: count }, (_, index) => ({ number: index + 1, state, refusals: [] }));
  }

  get requests(): readonly BurstRequest[] {
    return this.#requests;
  }

  standing(): Standing {
    const running: number[] = [];
    const waiting: Standing['waiting'][number][] = [];
    const away: Standing['away'][number][] = [];
    const served: Standing['served'][number][] = [];
    const failed: Standing['failed'][number][] = [];
    for (const { number, state } of this.#requests) {
      if (state.kind === 'served') served.push({ number, ...state });
      else if (state.kind === 'failed') failed.push({ number, ...state });
      else if (state.kind === 'away') away.push({ number, ...state });
      else if (state.place === null) running.push(number);
      else waiting.push({ number, ...state.place });
    }
    waiting.sort((a, b) => Number(a.key === null) - Number(b.key === null) || a.startsAt - b.startsAt);
    away.sort((a, b) => a.until - b.until);
    return { served, running, waiting, away, failed };
  }

  asks(number: number, now: number): void {
    this.#change(number, () => ({ state: { kind: 'asking', since: now, place: null } }));
  }

  answered(number: number, answer: Answer, now: number): void {
    this.#change(number, ({ state, refusals }) => {
      if (answer.kind !== 'refused') return { state: answer };
      const { retryAfterMs } = answer;
      const afterMs = state.kind === 'asking' ? now - state.since : 0;
      return { state: { kind: 'away', until: now + retryAfterMs }, refusals: [...refusals, { afterMs, retryAfterMs }] };
    });
  }

  /** Takes over who waits. Whoever asks and does not wait is on its way to a key, or being answered. */
  planned(tickets: readonly Ticket[], now: number): void {
    const places = new Map(tickets.map((ticket) => [ticket.request, placeOf(ticket, now)]));
    this.#requests = this.#requests.map((request) => {
      const { state, number } = request;
      if (state.kind !== 'asking') return request;
      return { ...request, state: { ...state, place: places.get(requestName(number)) ?? null } };
    });
  }

  #change(number: number, change: (request: BurstRequest) => Partial<BurstRequest>): void {
    this.#requests = this.#requests.map((request) => {
      return request.number === number ? { ...request, ...change(request) } : request;
    });
  }
}

/** Its request id. */
export function requestName(number: number): string {
  return `request-${number}`;
}

function placeOf({ route, waitedMs, startsInMs }: Ticket, now: number): Place {
  const startsAt = startsInMs === null ? Number.POSITIVE_INFINITY : now + startsInMs;
  return { key: route?.key ?? null, since: now - waitedMs, startsAt };
}
