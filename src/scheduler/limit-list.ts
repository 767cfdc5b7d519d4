import type { Meter } from './meter.ts';
import type { NamedPlan } from './quota.ts';
import { type LimitSource, QuotaLimit, type Reading } from './quota-limit.ts';

interface ListTerms {
  readonly quotaName: string;
  readonly skewMs: number;
}

/** What a new configuration has made of a list. */
interface Change {
  /** Limits that nothing was booked on before. */
  readonly added: readonly QuotaLimit[];
}

/** The limits of one quota, configured and learned ones. */
export class LimitList {
  #limits: QuotaLimit[] = [];
  #meters: Meter[] = [];
  /** Changes whenever a limit comes or goes. */
  version = 0;

  get all(): readonly QuotaLimit[] {
    return this.#limits;
  }

  get meters(): readonly Meter[] {
    return this.#meters;
  }

  describedBy(reading: Pick<Reading, 'unit' | 'windowMs'>): QuotaLimit | null {
    return this.#limits.find((limit) => limit.describes(reading)) ?? null;
  }

  add(named: NamedPlan, source: LimitSource, terms: ListTerms): QuotaLimit {
    const added = new QuotaLimit({ ...named, ...terms, source });
    this.#replace([...this.#limits, added]);
    return added;
  }

  /**
   * Takes another configuration. A limit of the same unit and window stays with all that is booked on it, and what answers
   * taught stays if `keepsLearned`. One that is enforced in another way now takes over what was used.
   */
  reconfigure(
    plans: readonly NamedPlan[],
    { keepsLearned, now, ...terms }: ListTerms & { readonly keepsLearned: boolean; readonly now: number },
  ): Change {
    const before = new Set(this.#limits);
    const added: QuotaLimit[] = [];
    const configured = plans.map((named) => {
      const known = [...before].find((limit) => limit.isOf(named.plan));
      if (known) before.delete(known);
      if (known?.isEnforcedLike(named)) {
        known.configure(named.plan.capacity, now);
        return known;
      }
      const limit = new QuotaLimit({ ...named, ...terms, source: 'config' });
      if (known) limit.takeOver(known, now);
      else added.push(limit);
      return limit;
    });
    const learned = [...before].filter((limit) => keepsLearned && limit.configure(null, now));
    this.#replace([...configured, ...learned]);
    return { added };
  }

  #replace(limits: QuotaLimit[]): void {
    this.#limits = limits;
    this.#meters = limits.flatMap(({ meters }) => meters);
    this.version += 1;
  }
}
