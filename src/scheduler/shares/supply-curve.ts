import type { ModelRoutes } from '../model-routes.ts';
import type { Ticket } from '../ticket.ts';

/** When how much will have been served, found in a walk through all who wait. */
interface Curve {
  /** Tokens that are ahead, rising. */
  readonly ahead: number[];
  /** When whoever has so much ahead starts. */
  readonly at: number[];
  tokens: number;
  /** What had been granted when the walk began. */
  readonly grantedBefore: number;
}

/**
 * What the limits of each model let through from now on, as the last walk through the queue has found: also where they let
 * nothing pass for half a minute, and then much at once.
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

  /** The next of the walk starts then. */
  next({ line, shareTokens }: Ticket, at: number): void {
    let curve = this.#building.get(line.model);
    if (curve === undefined) {
      curve = { ahead: [], at: [], tokens: 0, grantedBefore: this.#grantedOf(line.model) };
      this.#building.set(line.model, curve);
    }
    curve.ahead.push(curve.tokens);
    // Somebody whose route opens late says nothing of those behind.
    curve.at.push(Math.max(at, curve.at.at(-1) ?? at));
    curve.tokens += shareTokens;
  }

  /** The walk has come to its end. */
  end(): void {
    this.#curves = this.#building;
  }

  /**
   * When somebody with so many tokens ahead will start.
   * @param supply in tokens a ms: beyond the end of those whom the last walk has met
   */
  startOf(model: ModelRoutes, aheadTokens: number, { supply, now }: { supply: number; now: number }): number {
    const curve = this.#curves.get(model);
    if (curve === undefined) return now + aheadTokens / supply;
    const ahead = aheadTokens + this.#grantedOf(model) - curve.grantedBefore;
    const last = curve.ahead.length - 1;
    if (ahead > (curve.ahead[last] as number)) {
      return (curve.at[last] as number) + (ahead - (curve.ahead[last] as number)) / supply;
    }
    let [low, high] = [0, last];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((curve.ahead[middle] as number) < ahead) low = middle + 1;
      else high = middle;
    }
    return curve.at[low] as number;
  }

  #grantedOf(model: ModelRoutes): number {
    return this.#granted.get(model) ?? 0;
  }
}
