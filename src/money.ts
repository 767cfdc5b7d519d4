/** USD per million LLM tokens. */
export interface Price {
  readonly input: number;
  /** Of input that comes from the vendor's cache. */
  readonly cachedInput: number;
  readonly output: number;
}

/** LLM tokens of a request; `inputTokens` includes the cached, `outputTokens` the reasoning. */
export interface PricedTokens {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
}

/** For what vendors ask no money for. */
export const FREE: Price = { input: 0, cachedInput: 0, output: 0 };

/**
 * Amounts are whole billionths of a dollar, so that sums are exact: what is reserved and given back comes to nothing, and
 * what a client has spent is what its requests have cost. Up to nine million dollars fit.
 */
const NANO = 1_000_000_000;

/** What so many tokens cost, in nano-dollars. A vendor that counts more cached input than input gives nothing back. */
export function nanoUsdFor({ inputTokens, cachedInputTokens, outputTokens }: PricedTokens, price: Price): number {
  const cached = Math.min(cachedInputTokens, inputTokens);
  // USD per million is thousands of nano-dollars apiece.
  return Math.round(
    1_000 * ((inputTokens - cached) * price.input + cached * price.cachedInput + outputTokens * price.output),
  );
}

export function toNanoUsd(usd: number): number {
  return Math.round(usd * NANO);
}

export function toUsd(nanoUsd: number): number {
  return nanoUsd / NANO;
}

/** For people: `$12.34`, and of small amounts as many digits as tell them from nothing: `$0.0042`. */
export function dollars(nanoUsd: number): string {
  const usd = toUsd(nanoUsd);
  const digits = usd === 0 || usd >= 0.1 ? 2 : Math.min(9, Math.ceil(-Math.log10(usd)) + 1);
  return `$${usd.toFixed(digits)}`;
}
