import { Clusters } from './clusters.ts';
import { LineQueue } from './line-queue.ts';
import type { Meter } from './meter.ts';
import type { ModelRoutes, RouteOption } from './model-routes.ts';
import type { Quota } from './quota.ts';
import type { ModelFlow } from './shares/model-flow.ts';
import { StartBounds } from './start-bounds.ts';

/**
 * Tickets that may use the same routes and wait for the same client's limits. Lines meet only in limits that they share.
 */
export class Line {
  readonly model: ModelRoutes;
  readonly options: readonly RouteOption[];
  readonly clientQuota: Quota | null;
  /** What clients get of its model. */
  readonly flow: ModelFlow;
  readonly queue = new LineQueue();
  /** So many tickets have a booking at most: the rest start behind them. */
  readonly depth: number;
  /** How early its routes could start a ticket, by the plan and by the backlog that is being built. */
  readonly bounds = new StartBounds('reserved');
  /** As many as there are backlogs at a time: two that answer, and two that are being built. */
  readonly backlogBounds = [0, 1, 2, 3].map(() => new StartBounds('expected'));
  /** The latest start that was booked since the plan was made. */
  lastStart = Number.NEGATIVE_INFINITY;
  /** The limit that the start which was booked last waits for. */
  waitsFor: Meter | null = null;
  #clusters: Clusters | null = null;

  constructor(
    model: ModelRoutes,
    options: readonly RouteOption[],
    { clientQuota, flow }: { clientQuota: Quota | null; flow: ModelFlow },
  ) {
    this.model = model;
    this.options = options;
    this.clientQuota = clientQuota;
    this.flow = flow;
    this.depth = Math.max(MIN_DEPTH, 2 * options.length);
  }

  /** Its routes, by what they share. */
  get clusters(): Clusters {
    this.#clusters ??= new Clusters(this.options);
    return this.#clusters;
  }

  /** All limits that a ticket of this line may draw on. */
  *meters(): Generator<Meter> {
    for (const option of this.options) yield* option.route.meters;
    if (this.clientQuota) yield* this.clientQuota.meters;
  }
}

const MIN_DEPTH = 8;
