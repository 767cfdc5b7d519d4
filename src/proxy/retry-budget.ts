const WINDOW_MS = 60_000;
const SLOTS = 12;
const SLOT_MS = WINDOW_MS / SLOTS;

/** The longest that a client known to us waits between two of its own tries is a minute. */
const REMEMBERED_MS = 60_000;
const MOST_REMEMBERED = 10_000;

/** How many of the last minute's requests may be repeated. */
export interface RetryAllowance {
  /** As a share of the requests: 0.2 is 20 %. */
  readonly share: number;
  /** However few there were. */
  readonly floor: number;
}

interface Slot {
  number: number;
  requests: number;
  retries: number;
}

/**
 * Keeps repeats from adding to a failing upstream's load: over the last minute they are at most `floor` and a share of the
 * requests. Counted in slots of 5 s, so its size does not grow with the load.
 *
 * It also knows the requests that have failed lately. Clients send these again by themselves, some of them seven times: each
 * of those is a repeat already, and repeats of repeats would multiply.
 */
export class RetryBudget {
  #allowance: RetryAllowance;
  readonly #slots: Slot[] = Array.from({ length: SLOTS }, () => ({ number: -1, requests: 0, retries: 0 }));

  /** By what recognises a request: until when it counts. In the order of that. */
  readonly #failed = new Map<string, number>();

  constructor(allowance: RetryAllowance) {
    this.#allowance = allowance;
  }

  /** Another allowance; what was counted stays counted. */
  allow(allowance: RetryAllowance): void {
    this.#allowance = allowance;
  }

  /** A request has come, at `now` milliseconds of a monotonic clock. */
  requested(now: number): void {
    this.#slotAt(now).requests += 1;
  }

  hasRoom(now: number): boolean {
    const oldest = Math.floor(now / SLOT_MS) - SLOTS + 1;
    let requests = 0;
    let retries = 0;
    for (const slot of this.#slots) {
      if (slot.number < oldest) continue;
      requests += slot.requests;
      retries += slot.retries;
    }
    return retries < this.#allowance.floor + this.#allowance.share * requests;
  }

  /** One that had come as a request has turned out to be a client's own repeat: it makes no room for others. */
  repeated(now: number): void {
    this.#slotAt(now).requests -= 1;
  }

  /** A repeat is made that counts. */
  retried(now: number): void {
    this.#slotAt(now).retries += 1;
  }

  /** A request has come to nothing upstream, and its client is told so. */
  failed(key: string, now: number): void {
    this.#failed.delete(key);
    this.#failed.set(key, now + REMEMBERED_MS);
    for (const [oldest, until] of this.#failed) {
      if (until > now && this.#failed.size <= MOST_REMEMBERED) return;
      this.#failed.delete(oldest);
    }
  }

  hasFailed(key: string, now: number): boolean {
    return (this.#failed.get(key) ?? now) > now;
  }

  #slotAt(now: number): Slot {
    const number = Math.floor(now / SLOT_MS);
    const index = number % SLOTS;
    const slot = this.#slots[index];
    if (slot?.number === number) return slot;
    const fresh = { number, requests: 0, retries: 0 };
    this.#slots[index] = fresh;
    return fresh;
  }
}
