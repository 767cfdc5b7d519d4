import type { Cancel, Clock } from '../../clock.ts';
import type { Lease } from '../../scheduler/lease.ts';
import type { AttemptResult } from '../attempt.ts';
import type { AttemptEnd } from '../attempt-end.ts';
import type { ClientAnswer } from '../client-answer.ts';
import type { Sending } from '../request-order.ts';

/** An attempt that may be one of two. */
export interface Entrant {
  readonly lease: Lease;
  readonly step: Sending;
}

/** What one attempt hears and tells while another may be under way. */
export interface Lane {
  /** Who is to be told when there is no use for the attempt any more. */
  readonly whenGone: (listener: (() => void) | null) => void;
  readonly firstEventSeen: () => void;
  /** Its content comes: the other one is over when this returns. */
  readonly begins: () => void;
}

export interface RaceTerms {
  readonly clock: Clock;
  readonly answer: Pick<ClientAnswer, 'whenGone'>;
  /** How long the first may be without an event. */
  readonly patienceMs: number;
  /** Null: none can be had. */
  readonly second: () => Entrant | null;
  /** The attempt's lease has ended when it resolves. */
  readonly send: (entrant: Entrant, lane: Lane) => Promise<AttemptResult>;
  /** Its content comes. */
  readonly won: (entrant: Entrant) => void;
  /** It was given up for the other one. */
  readonly lost: (entrant: Entrant) => void;
}

/** How it ended. */
export interface Finish {
  readonly entrant: Entrant;
  readonly result: AttemptResult;
  /** The other one, which had failed before. */
  readonly failed: { readonly entrant: Entrant; readonly end: AttemptEnd } | null;
}

interface Runner extends Entrant {
  leave: (() => void) | null;
}

/**
 * One attempt and, if it has had no event for too long, a second one elsewhere: the first to bring content answers.
 *
 *     alone ──event, failure──▶ alone for good ──▶ over
 *       └──patience──▶ two ──content of one──▶ the other is given up ──▶ over
 *                       └──failure of one──▶ the other decides ──▶ over         the client leaves ──▶ both are given up
 */
export class Race {
  readonly #terms: RaceTerms;
  readonly #running = new Set<Runner>();
  readonly #done = Promise.withResolvers<Finish>();
  #stopTimer: Cancel | null = null;
  #failed: Finish['failed'] = null;

  private constructor(terms: RaceTerms) {
    this.#terms = terms;
  }

  static run(first: Entrant, terms: RaceTerms): Promise<Finish> {
    const race = new Race(terms);
    race.#stopTimer = terms.clock.schedule(terms.patienceMs, () => race.#hedge());
    race.#start(first);
    return race.#done.promise;
  }

  #hedge(): void {
    this.#stopTimer = null;
    const second = this.#terms.second();
    if (second) this.#start(second);
  }

  #start(entrant: Entrant): void {
    const runner: Runner = { ...entrant, leave: null };
    this.#running.add(runner);
    const lane: Lane = {
      whenGone: (listener) => {
        runner.leave = listener;
        this.#listen();
      },
      firstEventSeen: () => this.#settle(),
      begins: () => this.#won(runner),
    };
    this.#sent(runner, lane).then(
      (result) => this.#over(runner, result),
      (error: unknown) => this.#broken(runner, error),
    );
  }

  /** Async, so that what can't be sent is a rejection like any other. */
  async #sent(runner: Runner, lane: Lane): Promise<AttemptResult> {
    return await this.#terms.send(runner, lane);
  }

  /** One listener hears of the client, whoever runs. */
  #listen(): void {
    const isHeard = [...this.#running].some(({ leave }) => leave !== null);
    this.#terms.answer.whenGone(isHeard ? () => this.#giveUp() : null);
  }

  #giveUp(): void {
    this.#settle();
    for (const { leave } of [...this.#running]) leave?.();
  }

  /** There will be no second one. */
  #settle(): void {
    this.#stopTimer?.();
    this.#stopTimer = null;
  }

  #won(winner: Runner): void {
    this.#settle();
    for (const runner of [...this.#running]) {
      if (runner === winner) continue;
      this.#running.delete(runner);
      runner.leave?.();
      this.#terms.lost(runner);
    }
    this.#terms.won(winner);
  }

  #over(runner: Runner, result: AttemptResult): void {
    // One that was given up is nobody's concern: its lease has ended.
    if (!this.#running.delete(runner)) return;
    this.#settle();
    const hasFailed = result.end.kind === 'failed';
    if (hasFailed && this.#running.size > 0) this.#failed = { entrant: runner, end: result.end };
    else this.#done.resolve({ entrant: runner, result, failed: this.#failed });
  }

  #broken(runner: Runner, error: unknown): void {
    runner.lease[Symbol.dispose]();
    this.#giveUp();
    this.#done.reject(error);
  }
}
