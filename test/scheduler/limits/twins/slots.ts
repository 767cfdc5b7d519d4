import type { Recharge, Twin } from './twin.ts';

/** So many at once; a slot is free when its request is charged nothing any more. */
export class Slots implements Twin {
  readonly #capacity: number;
  #used = 0;

  constructor({ capacity }: { capacity: number }) {
    this.#capacity = capacity;
  }

  admit(amount: number): Recharge | null {
    if (this.#used + amount > this.#capacity) return null;
    this.#used += amount;
    let held = amount;
    return (charged) => {
      this.#used -= held - charged;
      held = charged;
    };
  }
}

/** Several limits enforced together: what one refuses, none is charged for. */
export class AllOf implements Twin {
  readonly #twins: readonly Twin[];

  constructor(twins: readonly Twin[]) {
    this.#twins = twins;
  }

  admit(amount: number, at: number): Recharge | null {
    const admitted = this.#twins.map((twin) => twin.admit(amount, at));
    const recharges = admitted.filter((recharge) => recharge !== null);
    const recharge: Recharge = (charged, when) => {
      for (const each of recharges) each(charged, when);
    };
    if (recharges.length === admitted.length) return recharge;
    recharge(0, at);
    return null;
  }
}
