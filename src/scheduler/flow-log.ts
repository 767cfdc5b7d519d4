import { firstAbove } from './limits/sorted.ts';

export interface FlowLogOptions {
  readonly keepMs?: number;
  readonly maxEntries?: number;
}

/**
 * What was sent on a limit and what was refunded, and when: as far back as an answer's head may speak of. Running totals
 * make the sum over any stretch of time two look-ups.
 *
 * Beside them, what of all that is under way may not be charged before its end: an output that nobody caps, above all.
 */
export class FlowLog {
  readonly #keepMs: number;
  readonly #maxEntries: number;
  #at: number[] = [];
  /** Totals up to and with each entry. */
  #sent: number[] = [];
  #refunded: number[] = [];
  /** What was unsure right after each entry. */
  #unsure: number[] = [];
  #head = 0;
  #lostThrough = Number.NEGATIVE_INFINITY;

  constructor({ keepMs = KEEP_MS, maxEntries = MAX_ENTRIES }: FlowLogOptions = {}) {
    this.#keepMs = keepMs;
    this.#maxEntries = maxEntries;
  }

  /**
   * @param amount Above 0: sent, or found to have cost more. Below: refunded.
   * @param unsure Above 0: of what was sent, what may be charged at its end only. Below: that end has come.
   */
  record(at: number, amount: number, unsure = 0): void {
    const last = this.#at.length - 1;
    const sent = (this.#sent[last] ?? 0) + Math.max(0, amount);
    const refunded = (this.#refunded[last] ?? 0) + Math.max(0, -amount);
    const unsureThen = Math.max(0, (this.#unsure[last] ?? 0) + unsure);
    this.#at.push(at);
    this.#sent.push(sent);
    this.#refunded.push(refunded);
    this.#unsure.push(unsureThen);
    this.#forget(at - this.#keepMs);
  }

  /** Whether everything from `instant` on is known. */
  covers(instant: number): boolean {
    return instant > this.#lostThrough;
  }

  /** Sent less refunded, both ends included. */
  sumBetween(from: number, to: number): number {
    return this.sentBetween(from, to) - this.refundedBetween(from, to);
  }

  sentBetween(from: number, to: number): number {
    return this.#between(this.#sent, from, to);
  }

  refundedBetween(from: number, to: number): number {
    return this.#between(this.#refunded, from, to);
  }

  /** What was under way just before `instant` and may not have been charged then. */
  unsureBefore(instant: number): number {
    return this.#total(this.#unsure, this.#firstFrom(instant));
  }

  #between(totals: readonly number[], from: number, to: number): number {
    if (to < from) return 0;
    return this.#total(totals, firstAbove(this.#at, to, this.#head)) - this.#total(totals, this.#firstFrom(from));
  }

  /** The total of all entries before `index`. */
  #total(totals: readonly number[], index: number): number {
    return totals[index - 1] ?? 0;
  }

  #firstFrom(from: number): number {
    let index = firstAbove(this.#at, from, this.#head);
    while (index > this.#head && this.#at[index - 1] === from) index -= 1;
    return index;
  }

  #forget(before: number): void {
    while ((this.#at[this.#head] as number) < before || this.#at.length - this.#head > this.#maxEntries) {
      this.#lostThrough = this.#at[this.#head] as number;
      this.#head += 1;
    }
    if (this.#head <= COMPACT_FROM || this.#head <= this.#at.length >> 1) return;
    // The entry before the first one kept carries the totals that sums begin from.
    this.#at = this.#at.slice(this.#head - 1);
    this.#sent = this.#sent.slice(this.#head - 1);
    this.#refunded = this.#refunded.slice(this.#head - 1);
    this.#unsure = this.#unsure.slice(this.#head - 1);
    this.#head = 1;
  }
}

/** A head that is a minute late, and a window of a minute before it. */
const KEEP_MS = 150_000;
const MAX_ENTRIES = 50_000;
const COMPACT_FROM = 256;
