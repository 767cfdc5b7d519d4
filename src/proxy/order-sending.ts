import type { Lease } from '../scheduler/lease.ts';
import type { RouteOption } from '../scheduler/model-routes.ts';
import type { UpstreamHeaders } from '../upstream/transport.ts';
import { type AnswerKind, answerReader } from './answer-kind.ts';
import type { AnswerParts, AnswerReader } from './answer-reader.ts';
import { Attempt, type AttemptResult } from './attempt.ts';
import type { Door } from './doors/door.ts';
import type { ClientRequest } from './exchange.ts';
import type { Hedging } from './hedging/hedging.ts';
import { type Entrant, type Finish, type Lane, Race } from './hedging/race.ts';
import { learnFrom } from './learn.ts';
import type { RequestFacts } from './request-body.ts';
import type { Attempted, RequestCourse } from './request-course.ts';
import { type Order, sendingOn } from './request-order.ts';
import type { RequestServices } from './request-services.ts';
import { keptBy } from './stored/stored-ids.ts';
import { upstreamRequest } from './upstream-request.ts';

interface SendingParts {
  readonly request: ClientRequest;
  readonly door: Door;
  readonly course: RequestCourse;
  /** Of the answer's head. */
  readonly headers: (upstream: UpstreamHeaders | null) => Readonly<Record<string, string>>;
}

/** What an attempt that is alone has of a lane. */
type Alone = Partial<Lane>;

/** Turns a lease into an answer for the client: one call, or two where the first is too slow. */
export class OrderSending {
  readonly #services: RequestServices;
  readonly #parts: SendingParts;

  constructor(services: RequestServices, parts: SendingParts) {
    this.#services = services;
    this.#parts = parts;
  }

  async attempt(order: Order, lease: Lease): Promise<Attempted> {
    const { record } = this.#parts.course;
    const { entrant, result, failed } = await this.#run(order, this.#entrant(order, lease));
    const { end, usage } = result;
    if (end.kind !== 'served') record.tellsOf(entrant.step);
    record.usage = usage;
    if (end.kind === 'served' && usage && this.#parts.door.generates) this.#learn(order, entrant, usage);
    return { end, lease: entrant.lease, hasAlsoFailed: failed !== null };
  }

  /** Goes into the record as one more attempt. */
  #entrant(order: Order, lease: Lease): Entrant {
    const step = sendingOn(order, lease, this.#parts.door.operation);
    if (!step) throw new Error('a lease was granted for what cannot be sent');
    this.#parts.course.record.attempted(step);
    return { lease, step };
  }

  async #run(order: Order, first: Entrant): Promise<Finish> {
    const hedging = order.canBeHedged ? this.#services.hedging : null;
    const patienceMs = hedging?.begun(first.lease) ?? null;
    if (hedging === null || patienceMs === null) {
      const firstEventSeen = () => hedging?.seen(first.lease);
      return { entrant: first, result: await this.#send(order, first, { firstEventSeen }), failed: null };
    }
    const { answer, record } = this.#parts.course;
    return Race.run(first, {
      clock: this.#services.clock,
      answer,
      patienceMs,
      second: () => this.#second(order, first, hedging),
      send: (entrant, lane) => {
        const firstEventSeen = (): void => {
          hedging.seen(entrant.lease);
          lane.firstEventSeen();
        };
        return this.#send(order, entrant, { ...lane, firstEventSeen });
      },
      won: ({ step }) => record.tellsOf(step),
      lost: ({ lease }) => hedging.seen(lease),
    });
  }

  /** One more at the same time. What has been taken out of the configuration meanwhile gets no new request. */
  #second(order: Order, first: Entrant, hedging: Pick<Hedging, 'take'>): Entrant | null {
    if (!isCurrent(order)) return null;
    const { tab } = this.#parts.course;
    const priceOn = ({ target }: RouteOption) => order.sizes[target]?.predictedNanoUsd ?? null;
    const lease = hedging.take(first.lease, (option) => tab.affords(priceOn(option)));
    return lease && this.#entrant(order, lease);
  }

  /** Not async: such a function holds what it has in hand to its end, and here that would be the body. */
  #send({ facts, held, conversation }: Order, { lease, step }: Entrant, lane: Alone): Promise<AttemptResult> {
    const { body } = held;
    if (!body) throw new Error('a lease was granted for a body that is gone');
    const { clock, settings } = this.#services;
    const { request: asked, door, course } = this.#parts;
    const { request, dropped } = upstreamRequest(asked, body, { ...step, userAgent: settings.userAgent });
    course.record.dropped = dropped;
    const begin = (upstream: UpstreamHeaders): void => {
      lane.begins?.();
      course.record.dropped = dropped;
      held.release();
      conversation.servedBy(lease.route.id);
      this.#begin(facts, upstream);
    };
    const { target, size, wire } = step;
    const kind: AnswerKind = { clock, door, target, size, wire, facts };
    const { operation } = door;
    const keep = (json: unknown): void => this.#services.stored.keep(keptBy(json), step, asked.client);
    const seen = operation === 'responses' ? keep : () => undefined;
    const read = (common: AnswerParts): AnswerReader => answerReader(kind, { ...common, seen });
    return Attempt.run(
      {
        ...{ services: this.#services, answer: course.answer, tab: course.tab, lease, target, size, read, begin },
        // What goes by way of a chat asks for nothing rare.
        isRareEndpoint: operation !== 'chat' && target.provider.wires[operation] !== undefined,
        isLimitedApart: wire.isLimitedApart ?? false,
        ...(lane.whenGone ? { whenGone: lane.whenGone } : {}),
        ...(lane.firstEventSeen ? { firstEventSeen: lane.firstEventSeen } : {}),
      },
      request,
    );
  }

  #begin({ isStreaming }: RequestFacts, upstream: UpstreamHeaders): void {
    const { course, headers } = this.#parts;
    if (isStreaming) course.answer.beginStream(headers(upstream));
    else course.answer.beginWhole(headers(upstream));
  }

  #learn({ model, facts }: Order, { step }: Entrant, usage: NonNullable<AttemptResult['usage']>): void {
    const { target, size } = step;
    const client = this.#parts.request.client.name;
    const { outputCapTokens } = facts;
    learnFrom(this.#services, { target, size, usage, model: model.name, client, outputCapTokens });
  }
}

function isCurrent({ find, model }: Order): boolean {
  try {
    return find() === model;
  } catch {
    return false;
  }
}
