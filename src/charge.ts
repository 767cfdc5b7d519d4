/** What a limit counts. `tokens` is input and output together; `in_flight` is requests that have not ended. */
const UNITS = ['requests', 'tokens', 'input_tokens', 'output_tokens', 'in_flight'] as const;

export type Unit = (typeof UNITS)[number];

/** Amounts by unit, in the order of `UNITS`. A list, because every booking reads it once for each limit. */
export type Charge = readonly [
  requests: number,
  tokens: number,
  inputTokens: number,
  outputTokens: number,
  inFlight: number,
];

export function unitIndex(unit: Unit): 0 | 1 | 2 | 3 | 4 {
  return UNITS.indexOf(unit) as 0 | 1 | 2 | 3 | 4;
}

/** The charge of one request of so many tokens. */
export function chargeOf(inputTokens: number, outputTokens: number): Charge {
  return [1, inputTokens + outputTokens, inputTokens, outputTokens, 1];
}
