import type { ModelRoutes } from '../model-routes.ts';
import type { Quota } from '../quota.ts';
import { Pool } from './share.ts';

/** Which pool a model's requests compete in: models whose routes share a quota are in one. */
export class Pools {
  readonly #ofModel = new WeakMap<ModelRoutes, Pool>();
  readonly #ofQuota = new WeakMap<Quota, Pool>();
  /** Where those of a pool that was absorbed are now. */
  readonly #absorbedBy = new WeakMap<Pool, Pool>();

  of(model: ModelRoutes): Pool {
    const known = this.#ofModel.get(model);
    if (known !== undefined) return this.#current(known);
    const quotas = new Set(model.options.flatMap(({ route }) => route.quotas));
    const pools = [...quotas].flatMap((quota) => this.#ofQuota.get(quota) ?? []).map((pool) => this.#current(pool));
    const pool = pools[0] ?? new Pool();
    for (const other of new Set(pools)) {
      if (other === pool) continue;
      pool.absorb(other);
      this.#absorbedBy.set(other, pool);
    }
    for (const quota of quotas) this.#ofQuota.set(quota, pool);
    this.#ofModel.set(model, pool);
    return pool;
  }

  #current(pool: Pool): Pool {
    let current = pool;
    for (let next = this.#absorbedBy.get(current); next; next = this.#absorbedBy.get(current)) current = next;
    return current;
  }
}
