import type { LimitSnapshot } from './limits/limit.ts';
import type { LimitSource, Reading } from './quota-limit.ts';

/** The books of one quota as they are written down. */
export interface SavedQuota {
  readonly id: string;
  readonly limits: readonly {
    readonly unit: Reading['unit'];
    readonly windowMs: number;
    readonly source: LimitSource;
    readonly snapshot: LimitSnapshot;
  }[];
  /** How much longer it rests. */
  readonly restsForMs: number;
  readonly restReason: 'throttled' | 'exhausted' | null;
  /** Time before the books were saved, or after, in which what was granted was not written down. Absent: there is none. */
  readonly gap?: SavedGap | undefined;
}

export interface SavedGap {
  /** Before the books were saved; negative: it ended after. */
  readonly endedAgoMs: number;
  readonly forMs: number;
}

/** What a client has spent of its budget. */
export interface SavedBudget {
  readonly client: string;
  /** When the period began that it is of, in milliseconds since the epoch. */
  readonly periodStartMs: number;
  /** What was reserved included. */
  readonly spentUsd: number;
  /** What may have been spent until the next write; 0 at an orderly end. */
  readonly aheadUsd: number;
}

export interface SavedBooks {
  /** Milliseconds since the epoch: the monotonic clock starts anew with the process. */
  readonly savedAtWallMs: number;
  /** Written at an orderly end: nothing was granted afterwards. */
  readonly isFinal: boolean;
  /** The last sign of life of whoever wrote them, where the store knows of one that is later than the books. */
  readonly aliveAtWallMs?: number;
  readonly quotas: readonly SavedQuota[];
  /** Absent: of a version that knew of none. */
  readonly budgets?: readonly SavedBudget[];
}

/** Where books outlive the process. What can't be read is no books; what can't be written is reported, never thrown. */
export interface LimitStore {
  load(): Promise<SavedBooks | null>;
  save(books: SavedBooks): Promise<void>;
}
