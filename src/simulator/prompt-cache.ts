import { createHash } from 'node:crypto';

/** As long as the vendors remember a prompt that nobody asks for again. */
const LIFETIME_MS = 300_000;

/** More are forgotten, the oldest first. */
const MAX_ENTRIES = 10_000;

/** The beginnings of prompts that an organisation has sent to a model, each until it has not been used for five minutes. */
export class PromptCache {
  readonly #untilMs = new Map<string, number>();

  has(id: string, nowMs: number): boolean {
    return (this.#untilMs.get(id) ?? Number.NEGATIVE_INFINITY) > nowMs;
  }

  put(id: string, nowMs: number): void {
    this.#untilMs.delete(id);
    this.#untilMs.set(id, nowMs + LIFETIME_MS);
    const [oldest] = this.#untilMs.keys();
    if (this.#untilMs.size > MAX_ENTRIES && oldest !== undefined) this.#untilMs.delete(oldest);
  }

  clear(): void {
    this.#untilMs.clear();
  }
}

/** What tells one beginning from another; prompts themselves are not kept. */
export function cacheId(organization: string, model: string, prefix: string): string {
  return createHash('sha256').update(`${organization}\n${model}\n${prefix}`).digest('base64');
}
