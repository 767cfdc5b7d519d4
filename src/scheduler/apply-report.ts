import type { SchedulerListener } from './events.ts';
import type { FirstByteEnd } from './first-byte.ts';
import type { Ending, Lease, Report } from './lease.ts';
import type { Meter } from './meter.ts';
import type { Route } from './route.ts';

interface ReportContext {
  readonly now: number;
  readonly emit: SchedulerListener;
  /** Called for a refusal that the books can't explain. */
  readonly distrust: () => void;
  readonly random: () => number;
}

type Telling = Pick<ReportContext, 'now' | 'emit'>;

/** Lets what an attempt said about its route change the state of route, key, quota or vendor. */
export function applyReport(lease: Lease, report: Report, context: ReportContext): void {
  telling(lease.route, { ...context, reason: report.kind }, () => {
    lease.timed(FIRST_BYTE_ENDS[report.kind] ?? 'unknown', context.now);
    apply(lease, report, context);
  });
}

/** The first output of an answer: whoever waits to see one may follow. */
export function applyProof(lease: Lease, { now, emit }: Telling): void {
  const { route } = lease;
  lease.answered(now);
  for (const each of route.quotas) each.succeeded(now);
  // Mostly nobody is held back, and then no state changes.
  if (!route.circuit.isWide) telling(route, { now, emit, reason: 'ok' }, () => route.circuit.proved(lease.grantedAt));
}

function telling(route: Route, { reason, now, emit }: Telling & { readonly reason: string }, change: () => void): void {
  const from = route.status(now).kind;
  change();
  const status = route.status(now);
  if (status.kind !== from) emit({ kind: 'route', route, from, status, reason });
}

function apply(lease: Lease, report: Report, context: ReportContext): void {
  const { route } = lease;
  const { now } = context;
  switch (report.kind) {
    case 'nothing':
      return;
    case 'ok':
      if (!lease.isProved) route.circuit.proved(lease.grantedAt);
      route.circuit.succeeded(lease.grantedAt);
      route.overloadsInRow = 0;
      return;
    case 'wait':
      refuse(lease, report, context);
      return;
    case 'never_fits':
      route.quotas[0].neverFits(report.unit, report.limit, now);
      return;
    case 'exhausted': {
      const { retryAfterMs, spent = [] } = report;
      route.quotas[0].exhausted({ now, sentAt: lease.sentAt, retryAfterMs, spent });
      return;
    }
    case 'disabled':
      disable(route, report);
      return;
    case 'capacity':
      overload(route, report.retryAfterMs, context);
      return;
    case 'ramp':
      route.quotas[0].gate.close();
      overload(route, RAMP_REST_MS, context);
      return;
    case 'failed':
      route.circuit.failed(now, lease.grantedAt);
  }
}

function refuse(lease: Lease, report: Extract<Report, { kind: 'wait' }>, context: ReportContext): void {
  const quota = lease.route.quotas[0];
  const { now } = context;
  const isExplained =
    quota.limits.length === 0 ||
    lease.sentAt < quota.distrustedAt ||
    quota.limits.some(({ primary, meters: [meter] }) => primary.level(now) < (meter as Meter).reserved(lease.cost));
  if (!isExplained) {
    context.distrust();
    context.emit({ kind: 'unexplained_refusal', route: lease.route });
  }
  const { sentAt, cost } = lease;
  const { retryAfterMs, spent } = report;
  quota.refused({ now, sentAt, cost, retryAfterMs, isExplained, spent });
}

function disable(route: Route, report: Extract<Report, { kind: 'disabled' }>): void {
  if (report.scope === 'key' && report.reason !== 'model') route.key.disabled = report.reason;
  else route.isModelClosed = true;
}

/**
 * The vendor has no capacity. Mostly that is so for all its keys, but some say it of one region, project or tier: one other
 * key may ask, and when it hears the same the model rests for all of them. Those that were under way together are turned
 * away together, and say it once.
 */
function overload(route: Route, hintMs: number | null, { now, random }: ReportContext): void {
  const { upstream } = route;
  if (route.overloadedUntil <= now) route.overloadsInRow += 1;
  const backoffMs = FIRST_OVERLOAD_MS * 2 ** Math.max(0, route.overloadsInRow - 1);
  const restMs = Math.max(hintMs ?? 0, Math.min(backoffMs, MAX_OVERLOAD_MS));
  const until = now + restMs * (1 + 0.2 * random());
  route.overloadedUntil = Math.max(route.overloadedUntil, until);
  // Once may be chance. Again is a vendor that has to be asked by one before all go.
  if (route.overloadsInRow > 1) route.circuit.rest(now, until);
  const { overloaded } = upstream;
  const isSecond = overloaded !== null && overloaded !== route && overloaded.overloadedUntil > now;
  if (isSecond) upstream.restsUntil = Math.max(upstream.restsUntil, until);
  upstream.overloaded = route;
}

/** What a report says of a first byte that has not come. */
const FIRST_BYTE_ENDS: Readonly<Partial<Record<Report['kind'], FirstByteEnd>>> = {
  nothing: 'gone',
  capacity: 'failed',
  failed: 'failed',
};

const RAMP_REST_MS = 5_000;
const FIRST_OVERLOAD_MS = 1_000;
const MAX_OVERLOAD_MS = 30_000;

/** What it reports changes no more than quotas that cover its route, rather than a key or a model. */
export function isOfItsQuotas({ report }: Ending): boolean {
  return ['ok', 'nothing', 'wait', 'failed'].includes(report.kind);
}
