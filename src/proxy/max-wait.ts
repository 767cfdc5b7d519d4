import { ProxyError } from '../errors.ts';
import type { ClientRequest } from './exchange.ts';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Even "do not wait" leaves the moment that it takes to start at once. */
const SHORTEST_MS = 1;

interface WaitTerms {
  /** The model's own. */
  readonly configuredMs: number;
  readonly now: number;
}

/**
 * How long a request may wait in the queue, in ms from now: as configured, or shorter if the client says so by
 * `x-sluice-max-wait`, or gives up earlier itself: OpenAI's SDKs tell their timeout by `x-stainless-timeout`, in seconds.
 * @throws ProxyError `bad_request`
 */
export function maxWaitMs(
  { headers, receivedAt }: Pick<ClientRequest, 'headers' | 'receivedAt'>,
  { configuredMs, now }: WaitTerms,
): number {
  const asked = askedMs(headers['x-sluice-max-wait']);
  const patience = patienceMs(headers['x-stainless-timeout']) - (now - receivedAt);
  return Math.max(SHORTEST_MS, Math.min(configuredMs, asked, patience));
}

function askedMs(value: string | string[] | undefined): number {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  const [, amount, unit] = /^\s*(\d{1,9}(?:\.\d{1,9})?)\s*(ms|s|m|h)\s*$/.exec(String(value)) ?? [];
  const unitMs = UNIT_MS[unit ?? ''];
  if (amount === undefined || unitMs === undefined) {
    throw new ProxyError(
      'bad_request',
      'The header x-sluice-max-wait is not a duration. Write a number and a unit, such as 500ms, 5s or 1m.',
    );
  }
  return Number(amount) * unitMs;
}

/** A hint that no user wrote: what makes no sense is passed over. */
function patienceMs(value: string | string[] | undefined): number {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : Number.POSITIVE_INFINITY;
}
