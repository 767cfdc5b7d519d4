import { ProxyError } from '../../errors.ts';
import { dollars, toNanoUsd } from '../../money.ts';
import type { BudgetView, ClientBudget } from './client-budget.ts';

/** Requests under way free what they do not need when they end, mostly within seconds. */
const SOON_MS = 1_000;

/** Waiting does not help, and LangChain is to know it. */
const TOO_LARGE =
  'That is more than the whole budget: shorten the messages or lower max_completion_tokens, or ask whoever sees to the ' +
  'billing of this server to raise it.';

/**
 * A budget has no room for a request of this price. Where that is only because of what others have reserved, there may be
 * room in a moment; else not before the budget begins anew, and LangChain reads "will reset at" and "billing" as: stop.
 */
export function budgetExceeded(budget: ClientBudget, nanoUsd: number): ProxyError {
  const view = budget.view();
  const price = dollars(nanoUsd);
  const spent = `${dollars(toNanoUsd(view.spentUsd))} of ${budgetWords(view)}`;
  const reserved = view.reservedUsd === 0 ? '' : `, ${dollars(toNanoUsd(view.reservedUsd))} more is reserved`;
  const facts = `You have spent ${spent}${reserved}, and this request is expected to cost ${price}.`;
  if (!budget.isSpentFor(nanoUsd)) {
    const message = `${facts} There may be room when the requests that are under way have ended.`;
    return new ProxyError('client_budget_exceeded', message, { retry: 'soon', retryAfterMs: SOON_MS });
  }
  const isTooLarge = nanoUsd > toNanoUsd(view.limitUsd);
  return new ProxyError('client_budget_exceeded', `${facts} ${isTooLarge ? TOO_LARGE : resetWords(view)}`);
}

function budgetWords({ limitUsd, per }: BudgetView): string {
  const limit = dollars(toNanoUsd(limitUsd));
  return per === 'total' ? `your whole budget of ${limit}` : `your budget of ${limit} a ${per}`;
}

function resetWords({ resetsAt }: BudgetView): string {
  if (resetsAt !== null) return `The budget will reset at ${resetsAt}.`;
  return 'It does not begin anew: whoever sees to the billing of this server has to raise it.';
}
