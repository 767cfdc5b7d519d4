import type { Route, RouteStatus } from './route.ts';

/** What the scheduler reports to whoever listens; it never waits for them. */
export type SchedulerEvent =
  /** A route's state changed: each is worth a log line. */
  | { readonly kind: 'route'; readonly route: Route; readonly status: RouteStatus }
  /** An upstream refused although the books had room: the books were wrong. */
  | { readonly kind: 'unexplained_refusal'; readonly route: Route }
  /** Something woke that could do nothing and knew no later instant: a bug, survived. */
  | { readonly kind: 'idle_wake' };

export type SchedulerListener = (event: SchedulerEvent) => void;
