import type { KeptPlace } from '../kept-places.ts';
import type { Ticket } from '../ticket.ts';
import { FadingSum } from './fading-sum.ts';
import { type Demand, fairRate } from './fair-rate.ts';
import type { ClassRule, Share } from './share.ts';

/** What of a client a walk through the queue has met. */
interface Walked {
  readonly begunAt: number;
  tokens: number;
  /** How fast it can use what it waits for, in tokens a ms: what starts late by itself is wanted then. */
  rate: number;
}

/** What one client asks of a model, and what was promised to it. */
interface OwnFlow {
  waitingTokens: number;
  /** Of the last two walks through the queue, that which is over and that which may be under way. */
  walked: Walked;
  walking: Walked;
  /** What it asked for, served or not. */
  readonly asked: FadingSum;
  readonly since: number;
  places: KeptPlace[];
  /** With so many of them it is time to look who of them may still come back. */
  mostPlaces: number;
  /** How much later its most pressing return could start, in ms, as of `slackAt`. */
  slackMs: number;
  slackAt: number;
  /** Tokens a ms, as of `rateAt`. */
  rate: number | null;
  rateAt: number;
}

/**
 * How fast each client of a model is served while there is a queue: of what all get together, its part among what all ask for.
 * Under shares a newcomer does not stand at the end of the whole queue but at the end of its own client's part of it, and how
 * fast that moves depends on others who are yet to come; they are expected to go on as they did lately.
 */
export class ModelFlow {
  /** Time during which somebody waited, in ms: what is granted while nobody waits says nothing of a queue. */
  #busyMs = 0;
  #seenAt = 0;
  #waiting = 0;
  readonly #granted = new FadingSum(SUPPLY_FADE_MS);
  readonly #own = new Map<Share, OwnFlow>();
  readonly #rule: ClassRule;

  constructor(rule: ClassRule) {
    this.#rule = rule;
  }

  /** A request has come, whatever becomes of it. */
  asked(share: Share, tokens: number, now: number): void {
    this.#flowOf(share, now).asked.add(tokens, now);
  }

  enters(share: Share, tokens: number, now: number): void {
    this.#tick(now);
    this.#waiting += 1;
    this.#flowOf(share, now).waitingTokens += tokens;
  }

  leaves(share: Share, tokens: number, now: number): void {
    this.#tick(now);
    this.#waiting -= 1;
    this.#flowOf(share, now).waitingTokens -= tokens;
  }

  /** A walk that began at `begunAt` has found when it will start. */
  met({ share, shareTokens }: Pick<Ticket, 'share' | 'shareTokens'>, at: number, begunAt: number): void {
    const own = this.#flowOf(share, begunAt);
    if (own.walking.begunAt !== begunAt) {
      own.walked = own.walking;
      own.walking = { begunAt, tokens: 0, rate: 0 };
    }
    own.walking.tokens += shareTokens;
    own.walking.rate = Math.max(own.walking.rate, own.walking.tokens / Math.max(DEMAND_FADE_MS, at - begunAt));
  }

  /** After it has left the queue. @param hasWaited or it was served at once, and counts only where others wait */
  granted(tokens: number, hasWaited: boolean): void {
    if (hasWaited || this.#waiting > 0) this.#granted.add(tokens, this.#busyMs);
  }

  keeps(share: Share, place: KeptPlace, now: number): void {
    const own = this.#flowOf(share, now);
    if (own.places.length >= own.mostPlaces) own.mostPlaces = 2 * expected(own, now).length + FEW_PLACES;
    own.places.push(place);
    own.slackMs = Math.min(own.slackMs, place.startBy - place.notBefore);
  }

  /** What all clients get together, in tokens a ms; null while nobody knows. */
  supply(now: number): number | null {
    this.#tick(now);
    if (this.#busyMs < ENOUGH_MS) return null;
    return this.#granted.rate(this.#busyMs, this.#busyMs) || null;
  }

  /** What the client gets of it as long as it wants more, in tokens a ms; null while nobody knows. */
  rate(share: Share, now: number): number | null {
    const own = this.#flowOf(share, now);
    if (now >= own.rateAt + RATE_EVERY_MS) {
      own.rateAt = now;
      const supply = this.supply(now);
      own.rate = supply && fairRate(share, { demands: this.#demands(now), supply, rule: this.#rule });
    }
    return own.rate;
  }

  /** What its client has waiting, in tokens. */
  waitingTokens(share: Share, now: number): number {
    return this.#flowOf(share, now).waitingTokens;
  }

  /** What those of its client may still take who were told to come back, in tokens. */
  promisedTokens(share: Share, now: number): number {
    return expected(this.#flowOf(share, now), now).reduce((sum, place) => sum + place.tokens, 0);
  }

  /** Whether all of its client that were told to come back could still start in time behind it; it is taken to join then. */
  makesRoom(share: Share, tokens: number, now: number): boolean {
    const own = this.#flowOf(share, now);
    const rate = this.rate(share, now);
    if (own.places.length === 0 || rate === null) return true;
    if (now >= own.slackAt + SLACK_EVERY_MS) {
      own.slackMs = slackOf(own, { rate, ahead: own.waitingTokens - tokens, now });
      own.slackAt = now;
    }
    const neededMs = tokens / rate;
    if (own.slackMs < neededMs) return false;
    own.slackMs -= neededMs;
    return true;
  }

  /** Forgets who asks for nothing any more. */
  #demands(now: number): Demand[] {
    const demands: Demand[] = [];
    for (const [share, own] of this.#own) {
      const { waitingTokens, asked, places, since } = own;
      const rate = asked.rate(now, now - since) + wanted(own);
      if (waitingTokens === 0 && places.length === 0 && asked.at(now) < 1) this.#own.delete(share);
      else demands.push({ share, rate });
    }
    return demands;
  }

  #flowOf(share: Share, now: number): OwnFlow {
    let own = this.#own.get(share);
    if (own === undefined) {
      own = {
        waitingTokens: 0,
        walked: NOTHING_MET,
        walking: NOTHING_MET,
        asked: new FadingSum(DEMAND_FADE_MS),
        since: now,
        places: [],
        mostPlaces: FEW_PLACES,
        slackMs: Number.POSITIVE_INFINITY,
        slackAt: Number.NEGATIVE_INFINITY,
        rate: null,
        rateAt: Number.NEGATIVE_INFINITY,
      };
      this.#own.set(share, own);
    }
    return own;
  }

  #tick(now: number): void {
    if (this.#waiting > 0) this.#busyMs += now - this.#seenAt;
    this.#seenAt = now;
  }
}

/** How fast it can use what it has waiting. */
function wanted({ waitingTokens, walked }: OwnFlow): number {
  const isMet = Math.max(0, waitingTokens - walked.tokens) / DEMAND_FADE_MS + walked.rate;
  return Math.min(waitingTokens / DEMAND_FADE_MS, isMet);
}

/** Those who may still come back, in the order in which they will. */
function expected(own: OwnFlow, now: number): readonly KeptPlace[] {
  if (own.places.some((place) => place.isTaken || !place.isLikely(now))) {
    own.places = own.places.filter((place) => !place.isTaken && place.isLikely(now));
  }
  return own.places;
}

/** How much later the most pressing return could start, if all of them come when they were told to. */
function slackOf(own: OwnFlow, { rate, ahead, now }: { rate: number; ahead: number; now: number }): number {
  let tokens = ahead;
  let slackMs = Number.POSITIVE_INFINITY;
  for (const place of expected(own, now)) {
    slackMs = Math.min(slackMs, place.startBy - Math.max(place.notBefore, now + tokens / rate));
    tokens += place.tokens;
  }
  return slackMs;
}

const NOTHING_MET: Walked = { begunAt: Number.NEGATIVE_INFINITY, tokens: 0, rate: 0 };
/** Longer than the gaps that windows of a minute leave. */
const SUPPLY_FADE_MS = 60_000;
const DEMAND_FADE_MS = 20_000;
/** So many promises cost less than a look at them. */
const FEW_PLACES = 64;
/** A queue that is younger says nothing yet. */
const ENOUGH_MS = 1_000;
const RATE_EVERY_MS = 100;
const SLACK_EVERY_MS = 250;
