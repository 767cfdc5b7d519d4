import type { Clock } from '../clock.ts';
import type { ClientConfig } from '../config/config.ts';
import { effectiveLimits } from '../config/limits.ts';
import type { LimitFacts } from '../providers/provider.ts';
import type { Client } from '../proxy/exchange.ts';
import type { ClientTerms } from '../proxy/served-model.ts';
import { type NamedPlan, Quota } from '../scheduler/quota.ts';
import { type ShareTerms, USUAL_SHARE } from '../scheduler/shares/share.ts';
import type { KeptBooks } from './kept-books.ts';
import { limitPlans } from './limit-plans.ts';

/** Sees every quota when it is made, and when it is forgotten. */
export type QuotaKeeper = Pick<KeptBooks, 'adopt' | 'release'>;

/** A client's own limits are ours, so nothing about them is a guess and nothing arrives late. */
const OWN_LIMITS: LimitFacts = {
  algorithm: 'token-bucket',
  burst: 1,
  isGuess: false,
  hasHeaders: false,
  requestSliceMs: null,
  isChargedAtEnd: false,
};

/** Where no clients are configured, all are one. */
const ANYBODY: ClientTerms = { share: USUAL_SHARE, quota: null, rejectsOnLimit: false };

/**
 * What each client is entitled to: its share, and its own limits, if it has any. Books of a client are kept while it is configured otherwise or not at all: what
 * it has used it has used.
 */
export class ClientQuotas {
  readonly #clock: Clock;
  readonly #keeper: QuotaKeeper;
  readonly #quotas = new Map<string, Quota>();
  #terms: ReadonlyMap<string, ClientTerms> = new Map();

  constructor(clients: readonly ClientConfig[], clock: Clock, keeper: QuotaKeeper) {
    this.#clock = clock;
    this.#keeper = keeper;
    this.reconfigure(clients);
  }

  /** Those who are configured from now on. Limits that stay keep what is booked on them. */
  reconfigure(clients: readonly ClientConfig[]): void {
    const terms = clients.map((client) => [client.name, this.#termsOf(client)] as const);
    this.#terms = new Map(terms);
    const now = this.#clock.now();
    for (const [name, quota] of this.#quotas) {
      if (this.#terms.get(name)?.quota || !quota.isUnused(now)) continue;
      this.#quotas.delete(name);
      this.#keeper.release(quota);
    }
  }

  termsOf(client: Client): ClientTerms {
    return this.#terms.get(client.name) ?? ANYBODY;
  }

  #termsOf(client: ClientConfig): ClientTerms {
    const limits = limitPlans(effectiveLimits([client.limits]), OWN_LIMITS, this.#clock);
    const quota = limits.length === 0 ? null : this.#quotaOf(client.name, limits);
    return { share: this.#shareOf(client), quota, rejectsOnLimit: quota !== null && client.onLimit === 'reject' };
  }

  /** Those who wait are asked for anew whose terms are others. */
  #shareOf({ name, priority, weight }: ClientConfig): ShareTerms {
    const known = this.#terms.get(name)?.share;
    return known?.priority === priority && known.weight === weight ? known : { priority, weight };
  }

  #quotaOf(client: string, limits: readonly NamedPlan[]): Quota {
    const name = `client ${client}`;
    const known = this.#quotas.get(client);
    known?.reconfigure({ name, limits, learns: false }, this.#clock.now());
    if (known) return known;
    const quota = new Quota({ id: name, name, limits, learns: false, skewMs: 0 });
    this.#quotas.set(client, quota);
    this.#keeper.adopt(quota);
    return quota;
  }
}
