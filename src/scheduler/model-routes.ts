import type { Candidate, Strategy } from './strategies/strategy.ts';

/** One route as a model uses it. */
export type RouteOption = Candidate;

/** When a target comes into play: from the first moment, after so long a wait, or when those before it are down. */
export type After = number | 'down';

/** The routes of one configured model. */
export interface ModelRoutes {
  readonly name: string;
  readonly strategy: Strategy;
  readonly options: readonly RouteOption[];
  /** By target, in file order. */
  readonly after: readonly After[];
}
