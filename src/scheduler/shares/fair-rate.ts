import type { ClassRule, Share } from './share.ts';

/** What a client asks for, in tokens a ms. */
export interface Demand {
  readonly share: Share;
  readonly rate: number;
}

/** Somebody with a weight who wants so much. */
interface Claim {
  readonly weight: number;
  readonly rate: number;
}

/**
 * What a client gets of a supply if it wants as much as it can get and the others what they ask for: max-min shares by weight,
 * of classes first and of the clients of its class then. In tokens a ms.
 */
export function fairRate(
  share: Share,
  { demands, supply, rule }: { demands: readonly Demand[]; supply: number; rule: ClassRule },
): number {
  const others = demands.filter((each) => each.share !== share);
  const ofClass = others.filter((each) => each.share.class === share.class).map(claimOf);
  const above = rule === 'strict' ? others.filter((each) => each.share.class.weight > share.class.weight) : [];
  const forClass =
    rule === 'strict'
      ? supply - above.reduce((sum, { rate }) => sum + rate, 0)
      : share.class.weight * waterLevel(supply, share.class.weight, classClaims(others, share));
  const level = waterLevel(Math.max(forClass, supply * LEAST_SHARE), share.weight, ofClass);
  return level * share.weight;
}

function claimOf({ share, rate }: Demand): Claim {
  return { weight: share.weight, rate };
}

/** Of the classes besides that of the client, taken together. */
function classClaims(others: readonly Demand[], { class: own }: Share): Claim[] {
  const rates = new Map<Share['class'], number>();
  for (const { share, rate } of others) {
    if (share.class !== own) rates.set(share.class, (rates.get(share.class) ?? 0) + rate);
  }
  return [...rates].map(([{ weight }, rate]) => ({ weight, rate }));
}

/** What each gets for a weight of 1, where those who want less than that get what they want, and one wants all it can get. */
function waterLevel(supply: number, ownWeight: number, others: readonly Claim[]): number {
  let left = supply;
  let weights = ownWeight + others.reduce((sum, { weight }) => sum + weight, 0);
  let thirsty = others;
  for (;;) {
    const level = left / weights;
    const content = thirsty.filter(({ weight, rate }) => rate < level * weight);
    if (content.length === 0) return level;
    thirsty = thirsty.filter(({ weight, rate }) => rate >= level * weight);
    for (const { weight, rate } of content) {
      left -= rate;
      weights -= weight;
    }
  }
}

/** Under strict classes a low one gets nothing for a while; a rate of 0 would foretell that it never will. */
const LEAST_SHARE = 0.001;
