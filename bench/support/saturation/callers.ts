import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { CLIENT_KEY } from './keys.ts';
import type { Prompts } from './prompts.ts';

/**
 * What a caller does with a refusal: leaves; comes back when it was told; comes back in half that time.
 */
export type Manner = 'leaves' | 'obeys' | 'hurries';

/** One caller's story, from its first request to its last answer. */
export interface Story {
  readonly manner: Manner;
  /** When it began: the last name that `Callers.cohort` was given. */
  readonly cohort: string;
  /** The status of each answer, oldest first; 0 for none. */
  readonly statuses: readonly number[];
  /** From sending to the whole answer, of each answer, in ms. */
  readonly afterMs: readonly number[];
  /** Whether its first refusal told it when to come back. */
  readonly hasPromise: boolean;
}

const PATH = '/v1/chat/completions';
/** Whoever is refused so often gives up. */
const MOST_RETURNS = 3;

/** Offers requests at the instants of a Poisson process, at a rate that may be changed while it runs. */
export class Callers {
  perSecond = 0;
  /** For the next ones that come. */
  manner: () => Manner = () => 'leaves';
  /** Marks the stories that begin from now on. */
  cohort = '';
  readonly #prompts: Prompts;
  readonly #pool: Pool;
  readonly #underWay = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #stories: Story[] = [];

  constructor(url: string, prompts: Prompts) {
    this.#prompts = prompts;
    this.#pool = new Pool(url, { connections: null, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
    void this.#run();
  }

  /** Stories that have ended since the last look. */
  take(): Story[] {
    const stories = this.#stories;
    this.#stories = [];
    return stories;
  }

  /** Those that have begun by now have ended when this returns; others may go on coming. */
  async untilTold(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** Cuts what is under way: its stories are not told. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#pool.destroy();
    await this.untilTold();
  }

  async #run(): Promise<void> {
    let at = performance.now();
    while (!this.#stopping.signal.aborted) {
      if (this.perSecond === 0) {
        await sleep(10);
        at = performance.now();
        continue;
      }
      at += (-Math.log(1 - this.#prompts.random()) * 1000) / this.perSecond;
      const waitMs = at - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      const story = this.#live(this.manner(), this.#prompts.next());
      this.#underWay.add(story);
      void story.finally(() => this.#underWay.delete(story));
    }
  }

  async #live(manner: Manner, body: string): Promise<void> {
    const { cohort } = this;
    const statuses: number[] = [];
    const afterMs: number[] = [];
    let hasPromise = false;
    for (;;) {
      const answer = await this.#ask(body);
      statuses.push(answer.status);
      afterMs.push(answer.afterMs);
      if (answer.retryAfterMs === null || statuses.length > MOST_RETURNS) break;
      if (statuses.length === 1) hasPromise = true;
      if (manner === 'leaves') break;
      await this.#rest(manner === 'obeys' ? answer.retryAfterMs : answer.retryAfterMs / 2);
    }
    if (this.#stopping.signal.aborted) return;
    this.#stories.push({ manner, cohort, statuses, afterMs, hasPromise });
  }

  async #rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  async #ask(body: string): Promise<{ status: number; afterMs: number; retryAfterMs: number | null }> {
    const sentAt = performance.now();
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${CLIENT_KEY}` };
    try {
      const answer = await this.#pool.request({ method: 'POST', path: PATH, headers, body });
      for await (const _piece of answer.body);
      const told = answer.headers['x-should-retry'] === 'false' ? undefined : answer.headers['retry-after-ms'];
      const isRefused = answer.statusCode === 429 && told !== undefined;
      return {
        status: answer.statusCode,
        afterMs: performance.now() - sentAt,
        retryAfterMs: isRefused ? Number(told) : null,
      };
    } catch {
      return { status: 0, afterMs: performance.now() - sentAt, retryAfterMs: null };
    }
  }
}
