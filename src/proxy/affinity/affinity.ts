import { createHash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { JsonObject } from '../request-body/fields.ts';
import { type Prefixes, prefixesOf } from './prefixes.ts';
import type { Turns } from './turns.ts';

/** A request as affinity sees it. Nothing of its body is kept. */
export interface Follower {
  /** Conversations of other clients are never found. */
  readonly client: string;
  /** The name that clients use. */
  readonly model: string;
  /** For how long after a turn its route is preferred, in ms. */
  readonly keptMs: number;
  readonly turns: Turns;
  readonly body: JsonObject;
  /** The client's user, as the body names one. */
  readonly user: string | null;
}

/** A conversation whose next turn is on its way. */
export interface Conversation {
  /** Id of the route that served it last; null: none that is known. */
  readonly prefers: string | null;
  /** Its answer has begun: the upstream has read the prompt, and may know it next time. */
  servedBy(routeId: string): void;
}

/** What no conversation is. */
export const NO_CONVERSATION: Conversation = { prefers: null, servedBy: () => {} };

interface Memory {
  readonly routeId: string;
  readonly until: number;
}

const MOST = 50_000;

/**
 * Which route served a conversation last. A turn begins with all messages of the turn before it, so each served request
 * leaves a number for what it said, and the next finds it among the numbers of its own beginnings. `prompt_cache_key` and,
 * behind the first answer, `user` stand in where no beginning is known. In memory, bounded; the oldest is forgotten first.
 */
export class Affinity {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #capacity: number;
  readonly #served = new Map<string, Memory>();

  constructor({ clock, capacity = MOST }: { readonly clock: Pick<Clock, 'now'>; readonly capacity?: number }) {
    this.#clock = clock;
    this.#capacity = capacity;
  }

  /** Entries held now. */
  get size(): number {
    return this.#served.size;
  }

  follow({ client, model, keptMs, turns, body, user }: Follower): Conversation {
    const cacheKey = textOf(body['prompt_cache_key']);
    const name = cacheKey ?? user ?? '';
    const prefixes = prefixesOf(turns, name);
    const keys = new Keys(`${client} ${model} `, prefixes.whole, name === '' ? null : hashOf(name));
    const isNamed = cacheKey !== null || prefixes.hasAnswers;
    return {
      prefers: this.#find(prefixes, keys, isNamed),
      servedBy: this.#remember(keys, keptMs),
    };
  }

  #find({ earlier }: Prefixes, keys: Keys, isNamed: boolean): string | null {
    for (const prefix of earlier) {
      const routeId = this.#routeOf(keys.ofPrefix(prefix));
      if (routeId !== null) return routeId;
    }
    const named = isNamed ? keys.named : null;
    return named === null ? null : this.#routeOf(named);
  }

  #routeOf(key: string): string | null {
    const memory = this.#served.get(key);
    return memory !== undefined && memory.until > this.#clock.now() ? memory.routeId : null;
  }

  /** Apart, so that what it returns knows the keys and nothing else of the request. */
  #remember(keys: Keys, keptMs: number): (routeId: string) => void {
    return (routeId) => {
      const now = this.#clock.now();
      const memory: Memory = { routeId, until: now + keptMs };
      for (const key of keys.own()) {
        this.#served.delete(key);
        this.#served.set(key, memory);
      }
      this.#forget(now);
    };
  }

  /** Those at the front that are over, and whatever is too much. */
  #forget(now: number): void {
    for (const [key, { until }] of this.#served) {
      if (until > now && this.#served.size <= this.#capacity) return;
      this.#served.delete(key);
    }
  }
}

/** Names of clients and models hold no blank, so nobody else's begin like these. */
class Keys {
  readonly #scope: string;
  readonly #whole: number | null;
  readonly #name: string | null;

  constructor(scope: string, whole: number | null, name: string | null) {
    this.#scope = scope;
    this.#whole = whole;
    this.#name = name;
  }

  get named(): string | null {
    return this.#name === null ? null : `${this.#scope}${this.#name}`;
  }

  ofPrefix(prefix: number): string {
    return `${this.#scope}${prefix}`;
  }

  *own(): Generator<string> {
    if (this.#whole !== null) yield this.ofPrefix(this.#whole);
    if (this.named !== null) yield this.named;
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Names may be people's, and long. */
function hashOf(name: string): string {
  return createHash('sha256').update(name).digest('base64');
}
