import type { RouteOption } from './model-routes.ts';
import type { Quota } from './quota.ts';

/** Routes of a line that share quotas, one with the other: what is booked on one may move starts on all of them. */
export interface Cluster {
  readonly options: RouteOption[];
  /** The last repair of the plan that looked at it anew. */
  repair: number;
}

/** A line's routes, by what they share: routes of different clusters say nothing of each other. */
export class Clusters {
  readonly #byQuota = new Map<Quota, Cluster>();
  readonly #byIndex: Cluster[] = [];

  constructor(options: readonly RouteOption[]) {
    for (const option of options) {
      const cluster: Cluster = { options: [option], repair: -1 };
      for (const quota of option.route.quotas) this.#join(cluster, this.#byQuota.get(quota));
      for (const each of cluster.options) {
        this.#byIndex[each.index] = cluster;
        for (const quota of each.route.quotas) this.#byQuota.set(quota, cluster);
      }
    }
  }

  /** Of an option of the line. */
  of({ index }: RouteOption): Cluster {
    return this.#byIndex[index] as Cluster;
  }

  /** Whose routes draw on the quota; undefined where none of the line does. */
  drawingOn(quota: Quota): Cluster | undefined {
    return this.#byQuota.get(quota);
  }

  #join(cluster: Cluster, other: Cluster | undefined): void {
    if (other !== undefined && !cluster.options.includes(other.options[0] as RouteOption)) {
      cluster.options.push(...other.options);
    }
  }
}
