import type { RouteChange } from '../proxy/events.ts';
import type { SchedulerEvent } from '../scheduler/events.ts';

/** What the log tells of an event of the scheduler; null: nothing. */
export function routeChange(event: SchedulerEvent, now: number): RouteChange | null {
  if (event.kind !== 'route') return null;
  const { route, status, from } = event;
  const { provider, model } = route.upstream;
  const forMs = 'until' in status ? status.until - now : null;
  const reason = 'reason' in status ? status.reason : event.reason;
  return { provider, model, key: route.key.name, from, to: status.kind, reason, forMs };
}
