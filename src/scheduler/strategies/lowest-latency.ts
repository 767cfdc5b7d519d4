import type { Ticket } from '../ticket.ts';
import { type Candidate, lowest, type Strategy } from './strategy.ts';

/**
 * The route whose first content is expected soonest: of those that are about as fast as the fastest, two at random, and of
 * these the one with fewer in flight. Two of *all* would leave the fastest of four routes with half of the requests.
 *
 * A route of which nothing is known goes first, and every 20th request looks at the slow one that was measured longest ago;
 * each with one request at a time, so that nobody else has to wait for what may be down. Of n routes each is thus looked at
 * again within 20 (n - 1) requests, and three to six looks find it fast.
 */
export function createLowestLatency(random: () => number): Strategy {
  let sinceLook = 0;
  return (candidates, ticket, now) => {
    const unknown = candidates.filter((each) => isUnknown(each, ticket, now));
    if (unknown.length > 0) return lowest(unknown, ({ index }) => index);
    const best = fastestMs(candidates, ticket, now);
    const isFast = (each: Candidate) => expectedMs(each, ticket, now) <= best * ABOUT_AS_FAST;
    sinceLook += 1;
    if (sinceLook >= LOOK_EVERY) {
      sinceLook = 0;
      const slow = candidates.filter((each) => !isFast(each) && measureOf(each, ticket).unanswered === 0);
      if (slow.length > 0) return lowest(slow, (each) => measureOf(each, ticket).measuredAt);
    }
    return lessBusyOfTwo(candidates.filter(isFast), random);
  };
}

/** A conversation stays where it is while that is at most half as slow again as the fastest: a known prompt is read faster. */
export function isFastEnough(own: Candidate, candidates: readonly Candidate[], about: { ticket: Ticket; now: number }) {
  const { ticket, now } = about;
  return expectedMs(own, ticket, now) <= fastestMs(candidates, ticket, now) * WORTH_STAYING;
}

function lessBusyOfTwo(candidates: readonly Candidate[], random: () => number): Candidate {
  const first = Math.floor(random() * candidates.length);
  const step = 1 + Math.floor(random() * (candidates.length - 1));
  const two = [first, (first + step) % candidates.length].map((index) => candidates[index] as Candidate);
  return lowest(two, ({ route }) => route.inFlight);
}

function fastestMs(candidates: readonly Candidate[], ticket: Ticket, now: number): number {
  return candidates.reduce((best, each) => Math.min(best, expectedMs(each, ticket, now)), Number.POSITIVE_INFINITY);
}

function isUnknown(candidate: Candidate, ticket: Ticket, now: number): boolean {
  const measure = measureOf(candidate, ticket);
  return measure.unanswered === 0 && measure.expectedMs(now) === null;
}

/** Infinity while its first answer is awaited; then all may be. */
function expectedMs(candidate: Candidate, ticket: Ticket, now: number): number {
  return measureOf(candidate, ticket).expectedMs(now) ?? Number.POSITIVE_INFINITY;
}

function measureOf({ route }: Candidate, { request }: Ticket) {
  return route.firstByteOf(request);
}

const LOOK_EVERY = 20;
const ABOUT_AS_FAST = 1.25;
const WORTH_STAYING = 1.5;
