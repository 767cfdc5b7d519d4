import { internalError, ProxyError } from '../errors.ts';
import type { Cost } from '../scheduler/cost.ts';
import type { Lease } from '../scheduler/lease.ts';
import type { AttemptEnd, FailedEnd } from './attempt-end.ts';
import { affordable } from './budgets/affordable.ts';
import { Tab } from './budgets/tab.ts';
import { type AnswerTerms, ClientAnswer } from './client-answer.ts';
import type { ClientReply, ClientRequest } from './exchange.ts';
import { maxWaitMs } from './max-wait.ts';
import { QueueWait, type Turn, type Wanted } from './queue-wait.ts';
import { RequestRecord } from './request-record.ts';
import type { RequestServices } from './request-services.ts';
import { requestShare } from './request-share.ts';
import { type Repeat, Retries } from './retries.ts';
import type { ServedModel } from './served-model.ts';

export type CourseServices = Pick<
  RequestServices,
  'clock' | 'scheduler' | 'settings' | 'retryBudget' | 'scrub' | 'termsOf' | 'budgetOf' | 'onSummary'
>;

type CourseRequest = Pick<ClientRequest, 'id' | 'client' | 'receivedAt' | 'headers' | 'releaseBody'> &
  Partial<Pick<ClientRequest, 'modelInPath'>>;

export interface CourseTerms extends Pick<AnswerTerms, 'earlyHeaders' | 'errorEvent' | 'errorBody'> {
  /** What the head of an answer says that no upstream gave. */
  readonly headers: () => Readonly<Record<string, string>>;
}

/** What one model is asked: what the loop of waiting and attempts has to know of it. */
export interface Work {
  readonly model: ServedModel;
  /** By target; null: that one cannot serve it. */
  readonly costs: readonly (Cost | null)[];
  /** By target, in nano-dollars, as expected; null: not known. */
  readonly prices: readonly (number | null)[];
  /** Absent: its answer is not streamed. */
  readonly isStreamed?: boolean;
  /** Id of the route that served its conversation last. Absent or null: none that matters. */
  readonly prefers?: string | null;
  /** Recognises a repeat of the request. */
  readonly placeKey: () => string;
  /** Another model may take over. */
  readonly mayGoElsewhere: boolean;
  /** Another model is asked rather than waiting for one that is out of service. */
  readonly isImpatient: boolean;
  /** Sends it. The lease has ended when this resolves. */
  attempt(lease: Lease): Promise<Attempted>;
  /** Why it must not be sent again although it could be; null: it may. */
  readonly forbidsRepeat?: (end: FailedEnd) => ProxyError | null;
  /**
   * The same as the configuration is by now; null: nothing has changed for it. A function where that takes time to find out.
   * @throws ProxyError it can't be served any more
   */
  renewed(): Work | (() => Promise<Work>) | null;
}

/** What came of a lease, and of a second one where the first was too slow. */
export interface Attempted {
  readonly end: AttemptEnd;
  /** The lease that it is about. */
  readonly lease: Lease;
  /** One of two has failed before. */
  readonly hasAlsoFailed?: boolean;
}

/** What is being waited for, which a new configuration may change meanwhile. */
interface Current {
  work: Work;
}

/**
 * The course of every request, whatever is sent for it: one place in the queue after the other, one answer, one line in
 * the log.
 *
 *     waiting ──lease──▶ attempt ──▶ served
 *      ▲   ▲                │
 *      │   └──── again ─────┴──▶ failed          anywhere ──▶ the client has left
 *      └── withdrawn: it must be sized anew
 */
export class RequestCourse {
  readonly answer: ClientAnswer;
  readonly record: RequestRecord;
  readonly tab: Tab;
  readonly #services: CourseServices;
  readonly #request: CourseRequest;
  readonly #terms: CourseTerms;
  /** By when it must have started, at whichever model; null: it has not asked for one. */
  #deadline: number | null = null;
  /** Whether it is the repeat of its client; null: nobody has had to know. */
  #repeats: boolean | null = null;
  /** What recognises the request; null: it has not asked for a model. */
  #placeKey: (() => string) | null = null;

  constructor(services: CourseServices, request: CourseRequest, about: CourseTerms & { readonly reply: ClientReply }) {
    const { reply, ...terms } = about;
    this.#services = services;
    this.#request = request;
    this.#terms = terms;
    this.record = new RequestRecord(request);
    this.tab = new Tab(services.budgetOf(request.client));
    this.answer = new ClientAnswer(reply, { clock: services.clock, requestId: request.id, ...terms });
  }

  /**
   * Runs all that is done for the request, and sees to what has to happen however that ends.
   * @throws ProxyError before the head of the answer is decided; an exception nobody expected, always
   */
  async run(serve: () => Promise<void>): Promise<void> {
    try {
      await serve();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.answer.close();
      this.tab.close();
      this.#request.releaseBody();
      this.#report();
    }
  }

  /**
   * Waits and sends until the client has its answer or has left. May be called again for another model: the time that there
   * is to wait is one for all of them.
   * @throws ProxyError no attempt is left
   */
  async serve(work: Work): Promise<void> {
    const { scheduler } = this.#services;
    const current: Current = { work };
    const queue = new QueueWait({ scheduler, answer: this.answer, renewed: () => this.#renewed(current) });
    this.#placeKey = work.placeKey;
    const retries = new Retries(
      () => current.work.model,
      () => this.#isRepeat(work),
      this.#services,
    );
    let turn = await this.#entered(queue, current);
    for (;;) {
      if (turn.kind === 'gone') return;
      if (turn.kind === 'rejected') throw retries.refused(turn.rejection);
      if (turn.kind === 'withdrawn') {
        turn = await this.#entered(queue, current);
        continue;
      }
      const { lease } = turn;
      const next = await this.#attempt(current.work, lease, retries);
      if (next === null) return;
      this.#hold(current);
      turn = await this.#waited(queue, () => queue.again(lease, next));
    }
  }

  /** Of an SDK that counts its tries, or of a client whose same request has failed here a while ago. Asked once it fails. */
  #isRepeat({ placeKey }: Work): boolean {
    if (this.#repeats !== null) return this.#repeats;
    const { clock, retryBudget } = this.#services;
    const now = clock.now();
    const isCounted = Number(this.#request.headers['x-stainless-retry-count'] ?? 0) > 0;
    this.#repeats = isCounted || retryBudget.hasFailed(placeKey(), now);
    if (this.#repeats) retryBudget.repeated(now);
    return this.#repeats;
  }

  /** Into the queue with what it is by now, however long that takes to find out. */
  async #entered(queue: QueueWait, current: Current): Promise<Turn> {
    for (let next = current.work.renewed(); next !== null; next = current.work.renewed()) {
      current.work = typeof next === 'function' ? await next() : next;
    }
    this.#hold(current);
    return this.#waited(queue, () => queue.enter(this.#ticket(current.work)));
  }

  /** Reserves for a wait. Targets that the client's budget has no room for are none of its. */
  #hold(current: Current): void {
    this.tab.release();
    current.work = affordable(current.work, this.tab);
    this.tab.hold(pricesOf(current.work));
  }

  /** In the scheduler's turn: null where it takes time, or has come to nothing, which is told in the request's own. */
  #renewed(current: Current): Wanted | null {
    try {
      const next = current.work.renewed();
      if (typeof next === 'function') return null;
      if (next !== null) {
        current.work = next;
        this.#hold(current);
      }
      return this.#ticket(current.work);
    } catch {
      return null;
    }
  }

  /** Null: the client has its answer, or has left. */
  async #attempt(work: Work, granted: Lease, retries: Retries): Promise<Repeat | null> {
    using first = granted;
    const { end, lease, hasAlsoFailed = false } = await work.attempt(first);
    if (hasAlsoFailed) retries.hedged();
    if (end.kind === 'served' || end.kind === 'gone') return null;
    this.record.attemptFailed(end.failure);
    const next = retries.after(end, lease);
    if (next.kind === 'stop') throw next.error;
    const forbidden = work.forbidsRepeat?.(end) ?? null;
    if (forbidden) throw forbidden;
    return next;
  }

  #ticket(work: Work): Wanted {
    const { model, costs, prices, placeKey, mayGoElsewhere, isImpatient, isStreamed = false, prefers = null } = work;
    const { client, id } = this.#request;
    const { share, quota, rejectsOnLimit } = this.#services.termsOf(client);
    return {
      id,
      client: client.name,
      share: requestShare(this.#request, share),
      model: model.routes,
      costs,
      prices,
      clientQuota: quota,
      rejectsOnClientLimit: rejectsOnLimit,
      isStreamed,
      prefers,
      maxWaitMs: this.#waitMs(model),
      maxQueueSize: model.queue.maxSize,
      placeKey,
      isImpatient,
      mayGoElsewhere: mayGoElsewhere || (this.#services.settings.isPart ?? false),
    };
  }

  #waitMs({ queue }: ServedModel): number {
    const { clock, retryBudget } = this.#services;
    const now = clock.now();
    const ownMs = maxWaitMs(this.#request, { configuredMs: queue.maxWaitMs, now });
    if (this.#deadline === null) {
      this.#deadline = now + ownMs;
      retryBudget.requested(now);
    }
    return Math.max(LEAST_WAIT_MS, Math.min(ownMs, this.#deadline - now));
  }

  async #waited(queue: QueueWait, wait: () => Promise<Turn>): Promise<Turn> {
    const { clock } = this.#services;
    const since = clock.now();
    const turn = await wait();
    this.record.queueMs += clock.now() - since;
    this.record.waitedFor(queue.waitedFor);
    return turn;
  }

  /**
   * In band where the status is out already. A bug is thrown on, for the log.
   */
  #fail(error: unknown): void {
    const known = this.#told(error instanceof ProxyError ? error : internalError(this.#request.id, error));
    this.record.failed(known);
    this.#remember(known);
    if (!this.answer.isHeadSent) {
      throw new ProxyError(known.code, known.message, {
        ...known.details,
        headers: { ...this.#terms.headers(), ...known.details.headers },
      });
    }
    this.answer.failInBand(known);
    if (!(error instanceof ProxyError)) throw known;
  }

  /** What has failed upstream will mostly be sent again by whoever asked. The whole request may, not a part of it. */
  #remember({ status }: ProxyError): void {
    const { clock, retryBudget, settings } = this.#services;
    const hasNothing = this.answer.firstByteAt === null && !settings.isPart;
    const hasFailed = status >= 500 && this.record.attempts > 0 && hasNothing;
    if (hasFailed && this.#placeKey !== null) retryBudget.failed(this.#placeKey(), clock.now());
  }

  #told(error: ProxyError): ProxyError {
    const isTold = !(this.#services.settings.isPart || this.answer.isGone);
    return isTold ? error.promised() : error;
  }

  #report(): void {
    const { isGone, isEnded, isHeadSent, firstByteAt } = this.answer;
    const hasLeft = isGone && !isEnded;
    const now = this.#services.clock.now();
    const { costUsd } = this.tab;
    this.#services.onSummary(this.record.summary({ now, hasLeft, isHeadSent, firstByteAt, costUsd }));
  }
}

/** Of the targets that may serve it. */
function pricesOf({ costs, prices }: Work): readonly (number | null)[] {
  return prices.filter((_price, target) => costs[target]);
}

/** Whoever has no time left may still start at once. */
const LEAST_WAIT_MS = 1;
