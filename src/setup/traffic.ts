import type { RequestSummary } from '../proxy/events.ts';

/** What one key did for one model since the start. */
export interface TrafficView {
  readonly provider: string;
  readonly key: string;
  readonly model: string;
  readonly requests: number;
  readonly errors: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly meanLatencyMs: number;
}

interface Tally {
  readonly provider: string;
  readonly key: string;
  readonly model: string;
  requests: number;
  errors: number;
  inputTokens: number;
  outputTokens: number;
  totalMs: number;
}

/** Counts, by key and upstream model, what requests came to. */
export class Traffic {
  readonly #tallies = new Map<string, Tally>();

  add({ provider, key, modelServed, status, tokens, totalMs, queueMs }: RequestSummary): void {
    if (provider === null || modelServed === null) return;
    const id = `${provider} ${key ?? ''} ${modelServed}`;
    let tally = this.#tallies.get(id);
    if (!tally) {
      const zero = { requests: 0, errors: 0, inputTokens: 0, outputTokens: 0, totalMs: 0 };
      tally = { provider, key: key ?? 'none', model: modelServed, ...zero };
      this.#tallies.set(id, tally);
    }
    tally.requests += 1;
    if (status >= 400) tally.errors += 1;
    tally.inputTokens += tokens.input ?? 0;
    tally.outputTokens += tokens.output ?? 0;
    tally.totalMs += totalMs - queueMs;
  }

  view(): TrafficView[] {
    return [...this.#tallies.values()].map(({ totalMs, ...tally }) => {
      return { ...tally, meanLatencyMs: Math.round(totalMs / tally.requests) };
    });
  }
}
