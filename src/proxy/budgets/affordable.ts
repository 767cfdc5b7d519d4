import type { Tab } from './tab.ts';

interface Priced {
  /** By target; null: that one cannot serve the request. */
  readonly costs: readonly unknown[];
  /** By target, in nano-dollars; null: not known. */
  readonly prices: readonly (number | null)[];
}

/**
 * Without the targets that the client's budget has no room for now, so that a free or a cheap one serves whoever can't pay for
 * the others. As it was where none is left, and with those whose price is not known: that is for the client to hear.
 */
export function affordable<Asked extends Priced>(asked: Asked, tab: Pick<Tab, 'affords'>): Asked {
  const isTooDear = asked.costs.map((cost, target) => {
    const price = asked.prices[target] ?? null;
    return cost !== null && price !== null && !tab.affords(price);
  });
  // As it is, so that whoever compares sees no change.
  if (!isTooDear.includes(true)) return asked;
  const costs = asked.costs.map((cost, target) => (isTooDear[target] ? null : cost));
  return costs.every((cost) => cost === null) ? asked : { ...asked, costs };
}
