import type { SchedulerListener } from './events.ts';
import type { Meter } from './meter.ts';
import type { Route } from './route.ts';

/**
 * What a call that costs no tokens found out about a server and a key. `alive`: it was answered as it should be. `failing`:
 * the server said that something is wrong with it. `silent`: no answer came.
 */
export type ProbeVerdict = 'alive' | 'failing' | 'silent';

interface ProbeContext {
  readonly now: number;
  readonly emit: SchedulerListener;
  /** Until the next probe has been answered. */
  readonly restMs: number;
  /** Silence is no accident: routes that nobody uses now may be closed for it. */
  readonly isCertain: boolean;
  /** A key that was refused may be tried again. */
  readonly mayReopenKey: boolean;
}

/**
 * Lets a probe change the state of the routes that lead to one server with one key. It proves nothing of their models, so the
 * most that a good one does is to let one request try. Returns whether any state has changed.
 */
export function applyProbe(routes: readonly Route[], verdict: ProbeVerdict, context: ProbeContext): boolean {
  const { now, emit } = context;
  const before = routes.map((route) => route.status(now).kind);
  const reopens = verdict === 'alive' && context.mayReopenKey;
  for (const route of routes) {
    if (reopens && route.key.disabled !== 'billing') reopen(route, now);
    else apply(route, verdict, context);
  }
  let hasChanged = false;
  for (const [index, route] of routes.entries()) {
    const from = before[index] as (typeof before)[number];
    const status = route.status(now);
    if (status.kind === from) continue;
    hasChanged = true;
    emit({ kind: 'route', route, from, status, reason: 'probe' });
  }
  return hasChanged;
}

/** That a key may ask for a list does not show that it may use a model: one request finds out. */
function reopen({ key, circuit }: Route, now: number): void {
  key.disabled = null;
  circuit.rest(now, now + 1);
}

function apply({ circuit, inFlight }: Route, verdict: ProbeVerdict, { now, restMs, isCertain }: ProbeContext): void {
  if (verdict === 'alive') circuit.tryNow();
  else if (circuit.state(now).kind === 'open') circuit.extend(now + restMs);
  else if (verdict === 'silent' && isCertain && inFlight === 0) circuit.rest(now, now + restMs);
}

/** Books one request on what a route draws on. False: there is no room for it, and nothing is booked. */
export function bookProbe({ meters }: Route, now: number): boolean {
  const counted = meters.filter(({ unit }) => unit === REQUESTS);
  if (!counted.every((meter: Meter) => meter.limit.level(now) >= 1)) return false;
  for (const { limit } of counted) limit.take(1, now);
  return true;
}

const REQUESTS = 0;
