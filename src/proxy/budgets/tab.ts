import { ProxyError } from '../../errors.ts';
import { toUsd } from '../../money.ts';
import { budgetExceeded } from './budget-exceeded.ts';
import type { ClientBudget } from './client-budget.ts';

/** One attempt on a tab. */
export interface Bill {
  /** What it has come to, in nano-dollars; null: nobody knows. Counts once. */
  settle(nanoUsd: number | null): void;
}

/**
 * What one request costs its client, over all its waits and attempts. Whatever happens to the request, nothing stays reserved
 * behind it: a wait's reservation ends with the wait or with the tab, an attempt's with the attempt.
 *
 *     open ──hold()──▶ waiting ──begin()──▶ attempt ──settle()──▶ open          close() from anywhere
 */
export class Tab {
  readonly #budget: ClientBudget | null;
  /** Reserved for a wait. */
  #held = 0;
  #bills = 0;
  #nanoUsd = 0;
  #isKnown = true;

  /** @param budget null: the client may spend what it likes */
  constructor(budget: ClientBudget | null) {
    this.#budget = budget;
  }

  /** All that has been settled, in USD; null: nothing was sent, or a price is not known. */
  get costUsd(): number | null {
    return this.#bills > 0 && this.#isKnown ? toUsd(this.#nanoUsd) : null;
  }

  /**
   * Before a wait: reserves what the dearest of the targets would cost, in place of what was held before.
   * @param prices in nano-dollars, of the targets that may serve the request; null: not known
   * @throws ProxyError `client_budget_exceeded`, or `model_not_allowed` where a budget would go by an unknown price
   */
  hold(prices: readonly (number | null)[]): void {
    if (this.#budget === null) return;
    this.release();
    const dearest = Math.max(0, ...prices.map(known));
    if (!this.#budget.hasRoomFor(dearest)) throw this.#exceeded(prices.map(known));
    this.#budget.book({ reserved: dearest });
    this.#held = dearest;
  }

  /** Whether there is room for one more attempt of this price beside what is under way. */
  affords(nanoUsd: number | null): boolean {
    return this.#budget === null || (nanoUsd !== null && this.#budget.hasRoomFor(nanoUsd));
  }

  /** An attempt: the target that it goes to is known now, and so is what to reserve for it. */
  begin(predictedNanoUsd: number | null): Bill {
    const reserved = predictedNanoUsd ?? 0;
    this.#budget?.book({ reserved: reserved - this.#held });
    this.#held = 0;
    this.#bills += 1;
    let isSettled = false;
    return {
      settle: (nanoUsd) => {
        if (isSettled) return;
        isSettled = true;
        this.#settle(nanoUsd, reserved);
      },
    };
  }

  /** Nothing is reserved for a wait any more. */
  release(): void {
    if (this.#held === 0) return;
    this.#budget?.book({ reserved: -this.#held });
    this.#held = 0;
  }

  /** The request is over. */
  close(): void {
    this.release();
  }

  #settle(nanoUsd: number | null, reserved: number): void {
    if (nanoUsd === null) this.#isKnown = false;
    this.#nanoUsd += nanoUsd ?? 0;
    this.#budget?.book({ reserved: -reserved, spent: nanoUsd ?? 0 });
  }

  /** Where even the cheapest of the targets is too dear it is about that one, for which there is room first. */
  #exceeded(prices: readonly number[]): ProxyError {
    const budget = this.#budget as ClientBudget;
    const tooDear = prices.filter((price) => !budget.hasRoomFor(price));
    return budgetExceeded(budget, Math.min(...tooDear));
  }
}

/** The configuration gives every target a price that a budget may be spent on; raw paths have none. */
function known(nanoUsd: number | null): number {
  if (nanoUsd !== null) return nanoUsd;
  throw new ProxyError(
    'model_not_allowed',
    'Your key has a budget, and nobody knows what this would cost: there is no price for it on this server.',
  );
}
