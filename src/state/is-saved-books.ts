import type { SavedBooks } from '../scheduler/limit-store.ts';

const UNITS = ['requests', 'tokens', 'input_tokens', 'output_tokens'];
const SOURCES = ['config', 'header', 'refusal'];
const REST_REASONS = ['throttled', 'exhausted', null];

/**
 * Whether books from outside have the shape of ours in every part: what is believed here is used unseen later. Fields that
 * are not known are nobody's business: another version may have written them.
 */
export function isSavedBooks(value: unknown): value is SavedBooks {
  const { savedAtWallMs, isFinal, quotas, budgets = [] } = fieldsOf(value);
  const isDated = Number.isFinite(savedAtWallMs) && typeof isFinal === 'boolean';
  return isDated && isListOf(quotas, isSavedQuota) && isListOf(budgets, isSavedBudget);
}

function isSavedQuota(value: unknown): boolean {
  const { id, limits, restsForMs, restReason, gap } = fieldsOf(value);
  const isResting = Number.isFinite(restsForMs) && REST_REASONS.includes(restReason as string | null);
  return typeof id === 'string' && isResting && isListOf(limits, isSavedLimit) && (gap === undefined || isGap(gap));
}

function isGap(value: unknown): boolean {
  const { endedAgoMs, forMs } = fieldsOf(value);
  return Number.isFinite(endedAgoMs) && Number.isFinite(forMs);
}

function isSavedLimit(value: unknown): boolean {
  const { unit, windowMs, source, snapshot } = fieldsOf(value);
  const { capacity, used } = fieldsOf(snapshot);
  const isKnown = UNITS.includes(unit as string) && SOURCES.includes(source as string);
  return isKnown && Number.isFinite(windowMs) && Number.isFinite(capacity) && isListOf(used, isUse);
}

function isSavedBudget(value: unknown): boolean {
  const { client, periodStartMs, spentUsd, aheadUsd } = fieldsOf(value);
  const isAmount = (amount: unknown) => Number.isFinite(amount) && (amount as number) >= 0;
  return typeof client === 'string' && Number.isFinite(periodStartMs) && isAmount(spentUsd) && isAmount(aheadUsd);
}

function isUse(value: unknown): boolean {
  return isListOf(value, Number.isFinite) && value.length === 2;
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): value is unknown[] {
  return Array.isArray(value) && value.every(isItem);
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
