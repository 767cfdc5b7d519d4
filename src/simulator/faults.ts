/** What can go wrong on purpose. `docs/simulator.md` tells what a client sees of each. */
export const FAULT_KINDS = [
  'refuse',
  'garbage',
  'html_502',
  '401',
  '500',
  '503',
  'quota_429',
  'spend_429',
  'slow_down',
  'bare_429',
  'lying_retry_after',
  'reset_before_body',
  'reset_within_body',
  'role_then_reset',
  'hang',
  'slow_head',
  'stall',
  'error_in_200',
  'stream_error_first_event',
  'stream_error_late',
  'json_instead_of_stream',
  'cut_json',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

/** When a fault happens: every condition that is given must hold. With none it always happens. */
export interface FaultRule {
  readonly kind: FaultKind;
  /** Names of keys, as in the ledger. */
  readonly keys?: readonly string[] | undefined;
  readonly models?: readonly string[] | undefined;
  /** Share of the requests, 0 to 1. */
  readonly rate?: number | undefined;
  /** Which of the requests that the other conditions let through, counted from 1. */
  readonly nth?: readonly number[] | undefined;
  /** Time window since the start or the last reset, in ms. */
  readonly fromMs?: number | undefined;
  readonly untilMs?: number | undefined;
  /** `slow_head`: how late the head is, default 5,000. */
  readonly delayMs?: number | undefined;
  /** `stall`, `reset_within_body`, `stream_error_late`, `cut_json`: so many tokens of the answer come first. Default 3. */
  readonly afterTokens?: number | undefined;
  /** `lying_retry_after`: what the answer advises. Default 20. */
  readonly retryAfterMs?: number | undefined;
}

export interface FaultCase {
  readonly key: string;
  readonly model: string;
  /** Since the start or the last reset. */
  readonly atMs: number;
}

/** Decides which request fails how. The first rule that applies wins. */
export class FaultPlan {
  readonly #random: () => number;
  #rules: { readonly rule: FaultRule; seen: number }[] = [];

  constructor(rules: readonly FaultRule[], random: () => number) {
    this.#random = random;
    this.set(rules);
  }

  set(rules: readonly FaultRule[]): void {
    this.#rules = rules.map((rule) => ({ rule, seen: 0 }));
  }

  get rules(): readonly FaultRule[] {
    return this.#rules.map(({ rule }) => rule);
  }

  next(request: FaultCase): FaultRule | null {
    for (const each of this.#rules) {
      const { rule } = each;
      if (!isCovered(rule, request)) continue;
      each.seen += 1;
      if (rule.nth && !rule.nth.includes(each.seen)) continue;
      if (rule.rate !== undefined && this.#random() >= rule.rate) continue;
      return rule;
    }
    return null;
  }
}

function isCovered(rule: FaultRule, { key, model, atMs }: FaultCase): boolean {
  if (rule.keys && !rule.keys.includes(key)) return false;
  if (rule.models && !rule.models.includes(model)) return false;
  return atMs >= (rule.fromMs ?? 0) && atMs < (rule.untilMs ?? Number.POSITIVE_INFINITY);
}
