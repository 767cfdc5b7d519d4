import { type Charge, chargeOf } from '../../charge.ts';
import type { RequestSize, Usage } from '../provider.ts';

/** How a vendor's limiter counts the tokens of one request. */
export interface ChargeRule {
  /**
   * What it takes when the request arrives. `cap`: the input and the output cap, or the predicted output where the client gave
   * no cap. `prediction`: nothing of the kind; we hold what the request will probably come to.
   */
  readonly reserves: 'cap' | 'prediction';
  /** What it has charged in the end. `usage`: the difference comes back. `reservation`: it does not. */
  readonly settlesTo: 'usage' | 'reservation';
  /** Input read from the vendor's cache is not charged. */
  readonly isCachedFree: boolean;
}

export function reservedBy(rule: ChargeRule, size: RequestSize): Charge {
  const predicted = size.predictedOutputTokens;
  return chargeOf(size.inputTokens, rule.reserves === 'cap' ? (size.outputCapTokens ?? predicted) : predicted);
}

export function settledBy(rule: ChargeRule, usage: Usage | null, reserved: Charge): Charge {
  if (usage === null || rule.settlesTo === 'reservation') return reserved;
  const inputTokens = usage.inputTokens - (rule.isCachedFree ? usage.cachedInputTokens : 0);
  return chargeOf(inputTokens, usage.outputTokens);
}
