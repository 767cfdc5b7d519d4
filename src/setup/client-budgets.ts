import type { Clock } from '../clock.ts';
import type { ClientConfig } from '../config/config.ts';
import { ClientBudget } from '../proxy/budgets/client-budget.ts';
import type { Client } from '../proxy/exchange.ts';
import type { SavedBudget } from '../scheduler/limit-store.ts';
import { budgetPeriodAt } from './budget-period.ts';

export interface ClientBudgetsOptions {
  readonly clock: Pick<Clock, 'wallNow'>;
  readonly saved: readonly SavedBudget[];
  readonly onUnwritten: () => void;
}

/**
 * Each client's budget, if it has one. Whoever had one keeps its books, also while no configuration names it: a client that
 * comes back the same month has not spent any less.
 */
export class ClientBudgets {
  readonly #options: ClientBudgetsOptions;
  readonly #saved: ReadonlyMap<string, SavedBudget>;
  readonly #budgets = new Map<string, ClientBudget>();
  #inForce: ReadonlySet<string> = new Set();

  constructor(options: ClientBudgetsOptions) {
    this.#options = options;
    this.#saved = new Map(options.saved.map((budget) => [budget.client, budget]));
  }

  /** Budgets are as these say from now on; requests under way keep what they have reserved. */
  configure(clients: readonly Pick<ClientConfig, 'name' | 'budget'>[]): void {
    const { clock, onUnwritten } = this.#options;
    const withBudget = clients.flatMap(({ name, budget }) => (budget ? [{ name, terms: budget }] : []));
    for (const { name, terms } of withBudget) {
      const known = this.#budgets.get(name);
      if (known) known.terms = terms;
      else {
        const saved = this.#saved.get(name) ?? null;
        const wallNow = () => clock.wallNow();
        this.#budgets.set(name, new ClientBudget({ terms, periodAt: budgetPeriodAt, wallNow, saved, onUnwritten }));
      }
    }
    this.#inForce = new Set(withBudget.map(({ name }) => name));
  }

  budgetOf({ name }: Client): ClientBudget | null {
    return this.#inForce.has(name) ? (this.#budgets.get(name) ?? null) : null;
  }

  save(isFinal: boolean): SavedBudget[] {
    const unused = [...this.#saved.values()].filter(({ client }) => !this.#budgets.has(client));
    const used = [...this.#budgets].map(([client, budget]) => ({ client, ...budget.save(isFinal) }));
    return [...unused, ...used];
  }
}
