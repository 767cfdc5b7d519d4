import type { Clock } from '../clock.ts';
import type { ClientConfig } from '../config/config.ts';
import { effectiveLimits } from '../config/limits.ts';
import type { LimitFacts } from '../providers/provider.ts';
import type { Client } from '../proxy/exchange.ts';
import type { ClientTerms } from '../proxy/served-model.ts';
import { Quota } from '../scheduler/quota.ts';
import { limitPlans } from './limit-plans.ts';

/** A client's own limits are ours, so nothing about them is a guess and nothing arrives late. */
const OWN_LIMITS: LimitFacts = {
  algorithm: 'token-bucket',
  burst: 1,
  isGuess: false,
  hasHeaders: false,
  requestSliceMs: null,
  isChargedAtEnd: false,
};

const FREE: ClientTerms = { quota: null, rejectsOnLimit: false };

/** Each client's own limits, if it has any. */
export class ClientQuotas {
  readonly #terms: ReadonlyMap<string, ClientTerms>;

  constructor(clients: readonly ClientConfig[], clock: Clock) {
    this.#terms = new Map(
      clients.map((client) => {
        const limits = limitPlans(effectiveLimits([client.limits]), OWN_LIMITS, clock);
        if (limits.length === 0) return [client.name, FREE];
        const name = `client ${client.name}`;
        const quota = new Quota({ id: name, name, limits, learns: false, skewMs: 0 });
        return [client.name, { quota, rejectsOnLimit: client.onLimit === 'reject' }];
      }),
    );
  }

  get quotas(): Quota[] {
    return [...this.#terms.values()].flatMap(({ quota }) => quota ?? []);
  }

  termsOf(client: Client): ClientTerms {
    return this.#terms.get(client.name) ?? FREE;
  }
}
