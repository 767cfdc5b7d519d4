import { setTimeout as sleep } from 'node:timers/promises';
import type { VendorCase } from './vendor-cases.ts';

/** Callers that never wait for each other, and never come back. */
export class VendorLoad {
  readonly #url: string;
  readonly #case: VendorCase;
  readonly #underWay = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  readonly #statuses = new Map<number, number>();
  readonly #abort = new AbortController();

  constructor(url: string, vendorCase: VendorCase, perMs: number) {
    this.#url = url;
    this.#case = vendorCase;
    this.#timer = setInterval(() => {
      const call: Promise<void> = this.#call().finally(() => this.#underWay.delete(call));
      this.#underWay.add(call);
    }, 1 / perMs);
  }

  get told(): string {
    const of = (status: number): number => this.#statuses.get(status) ?? 0;
    const all = [...this.#statuses.values()].reduce((sum, each) => sum + each, 0);
    return `${of(200)} / ${of(429)} / ${all - of(200) - of(429)}`;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#abort.abort();
    await Promise.allSettled(this.#underWay);
    await sleep(500);
  }

  async #call(): Promise<void> {
    const body = { model: this.#case.models[0], ...this.#case.body(Math.random) };
    try {
      const answer = await fetch(`${this.#url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: this.#abort.signal,
      });
      await answer.text();
      this.#statuses.set(answer.status, (this.#statuses.get(answer.status) ?? 0) + 1);
    } catch {
      if (!this.#abort.signal.aborted) this.#statuses.set(0, (this.#statuses.get(0) ?? 0) + 1);
    }
  }
}
