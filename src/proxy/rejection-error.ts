import type { Clock } from '../clock.ts';
import { type ErrorCode, ProxyError, shuttingDown } from '../errors.ts';
import type { BindingLimit, Rejection } from '../scheduler/rejection.ts';

type Wait = Extract<Rejection, { readonly kind: 'queue_full' | 'wait_exceeded' | 'client_limit' }>;

const DAY_MS = 86_400_000;
const UNITS = [
  { name: 'd', unitMs: DAY_MS },
  { name: 'h', unitMs: 3_600_000 },
  { name: 'min', unitMs: 60_000 },
  { name: 's', unitMs: 1_000 },
] as const;
const SECONDS_UP_TO_MS = 90_000;

const CODES: Readonly<Record<Wait['kind'], ErrorCode>> = {
  queue_full: 'queue_full',
  wait_exceeded: 'queue_wait_exceeded',
  client_limit: 'client_rate_limit_exceeded',
};

/** No limit of the client's or the key's is to blame, and asking for less does not help. */
const ALL_REST = ' Every key that could serve this model rests after failures or refusals of its upstream.';

/** A refusal of the scheduler as an error for the client: what binds, what was asked, what is possible, when to return. */
export function rejectionError(rejection: Rejection, clock: Pick<Clock, 'now'>): ProxyError {
  switch (rejection.kind) {
    case 'exceeds_limit':
      return new ProxyError('request_exceeds_limit', exceedsMessage(rejection.limit), {
        limit: limitName(rejection.limit),
      });
    case 'no_usable_route':
      return noUsableKey();
    case 'out_of_service':
      return outOfService();
    case 'shutting_down':
      return shuttingDown();
    case 'queue_full':
    case 'wait_exceeded':
    case 'client_limit':
      return waitError(rejection, clock);
  }
}

export function noUsableKey(): ProxyError {
  return new ProxyError(
    'no_usable_key',
    'No key that could serve this model is usable at the moment. The operator of this server has to act.',
  );
}

/** For other models to hear: the client does only if none of them, and no wait, has helped. */
function outOfService(): ProxyError {
  return new ProxyError('upstream_overloaded', 'Everything that could serve this model rests after failures.', {
    couldWait: true,
  });
}

/** `org-a gpt-4o tpm`: as `x-sluice-limit` shows it. */
export function limitName({ quota, name }: { readonly quota: string; readonly name: string }): string {
  return `${quota} ${name}`;
}

function waitError(rejection: Wait, clock: Pick<Clock, 'now'>): ProxyError {
  const { limit, retryAfterMs, predictedWaitMs, keepPlace } = rejection;
  const isKnown = Number.isFinite(predictedWaitMs);
  const returnMs = retryAfterMs ?? (isKnown ? predictedWaitMs : null);
  const cause = rejection.isResting ? ALL_REST : binding(limit);
  return new ProxyError(CODES[rejection.kind], `${reason(rejection)}${cause}`, {
    ...(returnMs === null ? {} : { retryAfterMs: returnMs }),
    ...(retryAfterMs === null ? { retry: 'never' as const } : {}),
    ...(limit ? { limit: limitName(limit) } : {}),
    ...(keepPlace ? { keepPlace: () => keepPlace(clock.now()) } : {}),
  });
}

function reason({ kind, hasWaited, predictedWaitMs }: Wait): string {
  if (kind === 'queue_full') return 'Too many of your requests wait for this model already.';
  if (kind === 'client_limit') return 'You have reached the limit that is set for you on this server.';
  if (hasWaited) return 'The request has waited as long as it may, and no key became free for it.';
  const wait = Number.isFinite(predictedWaitMs) ? `about ${duration(predictedWaitMs)}` : 'for an unknown time';
  // Part of the time that it may wait is a reserve for what predictions err by, so the number may look small enough.
  return `The request would have to wait ${wait}, too long to promise a start within the time that it may wait.`;
}

/**
 * LangChain stops for good on "usage quota", "quota exhausted", "billing" and "will reset at", so these words stand only
 * where a short wait does not help.
 */
function binding(limit: BindingLimit | null): string {
  if (limit === null) return '';
  const admits = ` ${limitWords(limit)}.`;
  return limit.windowMs >= DAY_MS ? `${admits} The usage quota of the day is spent.` : admits;
}

function limitWords({ quota, name, unit, windowMs, capacity, asked }: BindingLimit): string {
  return `The limit ${name} of ${quota} allows ${counted(capacity, unit)}${per(windowMs)}; this request takes ${number(asked)}`;
}

function exceedsMessage(limit: BindingLimit): string {
  const { quota, name, unit, windowMs, capacity, asked } = limit;
  const admits = `${counted(capacity, unit)}${per(windowMs)}`;
  return (
    `The request needs at least ${counted(asked, unit)}, but the limit ${name} of ${quota} never admits ` +
    `more than ${admits}. Shorten the messages or lower max_completion_tokens.`
  );
}

function counted(amount: number, unit: string): string {
  const words = unit === 'in_flight' ? 'requests at the same time' : unit.replaceAll('_', ' ');
  return `${number(amount)} ${Math.ceil(amount) === 1 ? words.replace(/s\b/, '') : words}`;
}

function per(windowMs: number): string {
  if (windowMs <= 0) return '';
  if (windowMs === DAY_MS) return ' per day';
  if (windowMs === 3_600_000) return ' per hour';
  if (windowMs === 60_000) return ' per minute';
  return windowMs === 1000 ? ' per second' : ` per ${duration(windowMs)}`;
}

/** In its two largest units, rounded up: `45 s`, `6 min 40 s`, `1 d 1 h`. */
function duration(ms: number): string {
  const at = UNITS.findIndex(({ unitMs }) => unitMs <= ms);
  const [large, small] = [UNITS[at], UNITS[at + 1]];
  if (!large || !small || ms < SECONDS_UP_TO_MS) return `${Math.max(1, Math.ceil(ms / 1000))} s`;
  const wholeMs = Math.ceil(ms / small.unitMs) * small.unitMs;
  const rest = (wholeMs % large.unitMs) / small.unitMs;
  return `${Math.floor(wholeMs / large.unitMs)} ${large.name}${rest === 0 ? '' : ` ${rest} ${small.name}`}`;
}

/** Without fractions and with thousands apart, whatever the machine's locale. */
function number(amount: number): string {
  return Math.ceil(amount).toLocaleString('en-US');
}
