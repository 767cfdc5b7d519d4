import type { Route, RouteStatus } from './route.ts';

/** What the scheduler reports to whoever listens; it never waits for them. */
export type SchedulerEvent =
  /** A route's state changed: each is worth a log line. */
  | {
      readonly kind: 'route';
      readonly route: Route;
      readonly from: RouteStatus['kind'];
      readonly status: RouteStatus;
      /** The report that caused it. */
      readonly reason: string;
    }
  /** An upstream refused although the books had room: the books were wrong. */
  | { readonly kind: 'unexplained_refusal'; readonly route: Route };

export type SchedulerListener = (event: SchedulerEvent) => void;
