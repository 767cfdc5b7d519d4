import type { FaultKind } from './faults.ts';
import type { ScopedLimitReport, Sender } from './organizations.ts';

/** One admitted request. Instants are ms since the start or the last reset. */
export interface AdmittedRecord {
  readonly key: string;
  readonly model: string;
  /** What the request called itself: `metadata.seq`, the header `x-request-id`, `user`. Null where it said nothing. */
  readonly seq: unknown;
  readonly requestId: string | null;
  readonly user: unknown;
  /** When its body was here; the limiter saw it at `admittedMs`. */
  readonly arrivedMs: number;
  readonly admittedMs: number;
  endedMs: number | null;
  readonly isStreaming: boolean;
  /** In the vendor's tokens. */
  readonly input: number;
  readonly outputCap: number | null;
  output: number;
  readonly fault: FaultKind | null;
  outcome: 'in_flight' | 'completed' | 'aborted' | 'failed';
}

/** One request that a limit refused. */
export interface RefusedRecord {
  readonly key: string;
  readonly model: string;
  readonly seq: unknown;
  readonly atMs: number;
  readonly limit: string;
  readonly requested: number;
  /** Null: it could never have fitted. */
  readonly waitMs: number | null;
}

export interface KeyTotals extends Sender {
  admitted: number;
  refused: number;
  input: number;
  output: number;
}

/** Everything the simulated vendor knows about what it was sent. */
export interface Ledger {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly uptimeMs: number;
  /** Chat requests with a known key, whatever came of them. */
  readonly received: number;
  readonly admitted: number;
  readonly completed: number;
  /** The client left before its answer was complete. */
  readonly aborted: number;
  /** Admitted, and then broken by a fault. */
  readonly failed: number;
  readonly inFlight: number;
  /** Refused by a limit, that is every true 429. */
  readonly rateLimited: number;
  /** Everything that was not admitted, by reason: a limit's name, `too_large`, an error's code. */
  readonly refused: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  readonly keys: readonly KeyTotals[];
  readonly limits: readonly ScopedLimitReport[];
  /** In the order of admission. */
  readonly requests: readonly AdmittedRecord[];
  readonly refusals: readonly RefusedRecord[];
}

type Counts = Omit<Ledger, 'startedAt' | 'uptimeMs' | 'limits'>;

/** Books what comes of requests. */
export class RequestBook {
  readonly #maxLogged: number;
  readonly #senders: readonly Sender[];
  #keys = new Map<string, KeyTotals>();
  #received = 0;
  #admitted = 0;
  #rateLimited = 0;
  #ended = { completed: 0, aborted: 0, failed: 0 };
  #refused = new Map<string, number>();
  #faults = new Map<string, number>();
  #requests: AdmittedRecord[] = [];
  #refusals: RefusedRecord[] = [];

  constructor(senders: readonly Sender[], maxLogged: number) {
    this.#senders = senders;
    this.#maxLogged = maxLogged;
    this.reset();
  }

  reset(): void {
    this.#keys = new Map(
      this.#senders.map((sender) => [sender.key, { ...sender, admitted: 0, refused: 0, input: 0, output: 0 }]),
    );
    this.#received = 0;
    this.#admitted = 0;
    this.#rateLimited = 0;
    this.#ended = { completed: 0, aborted: 0, failed: 0 };
    this.#refused = new Map();
    this.#faults = new Map();
    this.#requests = [];
    this.#refusals = [];
  }

  receive(): void {
    this.#received += 1;
  }

  refuse(reason: string): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
  }

  rateLimit(record: RefusedRecord): void {
    this.#rateLimited += 1;
    this.refuse(record.waitMs === null ? 'too_large' : record.limit);
    const totals = this.#keys.get(record.key);
    if (totals) totals.refused += 1;
    keep(this.#refusals, record, this.#maxLogged);
  }

  fault(kind: FaultKind): void {
    this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + 1);
  }

  admit(record: AdmittedRecord): void {
    this.#admitted += 1;
    const totals = this.#keys.get(record.key);
    if (totals) {
      totals.admitted += 1;
      totals.input += record.input;
    }
    keep(this.#requests, record, this.#maxLogged);
  }

  /** A request that was admitted before the last reset is not booked in the new figures. */
  end(record: AdmittedRecord, isOfThisBook: boolean): void {
    if (!isOfThisBook || record.outcome === 'in_flight') return;
    this.#ended[record.outcome] += 1;
    const totals = this.#keys.get(record.key);
    if (totals) totals.output += record.output;
  }

  counts(): Counts {
    const { completed, aborted, failed } = this.#ended;
    return {
      received: this.#received,
      admitted: this.#admitted,
      ...{ completed, aborted, failed },
      inFlight: this.#admitted - completed - aborted - failed,
      rateLimited: this.#rateLimited,
      refused: Object.fromEntries(this.#refused),
      faults: Object.fromEntries(this.#faults),
      keys: [...this.#keys.values()].map((totals) => ({ ...totals })),
      requests: this.#requests.map((record) => ({ ...record })),
      refusals: [...this.#refusals],
    };
  }
}

/** Drops the oldest tenth at once, so that a full list costs nothing per request. */
function keep<Item>(list: Item[], item: Item, max: number): void {
  list.push(item);
  if (list.length > max) list.splice(0, Math.ceil(max / 10));
}
