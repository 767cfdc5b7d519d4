import { createHash } from 'node:crypto';
import { internalError, ProxyError } from '../../errors.ts';
import type { Lease } from '../../scheduler/lease.ts';
import type { TicketRequest } from '../../scheduler/ticket.ts';
import { plainHeader, safeAnswerHeaders } from '../../upstream/hop-by-hop.ts';
import type { UpstreamHeaders } from '../../upstream/transport.ts';
import { answerHeaders } from '../answer-headers.ts';
import { parseBody } from '../answer-reader.ts';
import { Attempt } from '../attempt.ts';
import type { AttemptEnd } from '../attempt-end.ts';
import { ClientAnswer } from '../client-answer.ts';
import type { ClientReply } from '../exchange.ts';
import { maxWaitMs } from '../max-wait.ts';
import { QueueWait, type Turn } from '../queue-wait.ts';
import { RequestRecord, type Step } from '../request-record.ts';
import { Retries } from '../retries.ts';
import type { ServedModel } from '../served-model.ts';
import type { TargetSize } from '../size-request.ts';
import { keptBy, referencesIn, resultsIn } from '../stored/stored-ids.ts';
import { RawAnswer } from './raw-answer.ts';
import type { RawHandler, RawRequest, RawServices } from './raw-request.ts';
import { rawUpstreamRequest } from './raw-upstream-request.ts';

/** Passes on what Sluice does not understand: unread, but under the provider's limits on requests. */
export function createRawHandler(services: RawServices): RawHandler {
  return (request, reply) => new RawRun(services, request, reply).run();
}

/** Nobody knows what it costs but one request. */
const ONE_REQUEST: TargetSize = {
  estimatedTokens: 0,
  inputTokens: 0,
  predictedOutputTokens: 0,
  isWhole: true,
  cost: { reserved: [1, 0, 0, 0, 1], expected: [1, 0, 0, 0, 1], certain: [1, 0, 0, 0, 1] },
};

/** How a JSON object begins. */
const IS_OBJECT = /^\s*\{/;

/** Of the upstream's headers, what a client needs to make sense of the body. */
const ABOUT_THE_BODY = ['content-type', 'content-length', 'content-disposition'] as const;

/**
 * One raw request on its way: the path of every request, but that its body is not read.
 *
 *     waiting ──lease──▶ attempt ──▶ served
 *        ▲                  │
 *        └──── again ───────┴──▶ failed          anywhere ──▶ the client has left
 */
class RawRun {
  readonly #services: RawServices;
  readonly #request: RawRequest;
  readonly #answer: ClientAnswer;
  readonly #record: RequestRecord;

  constructor(services: RawServices, request: RawRequest, reply: ClientReply) {
    this.#services = services;
    this.#request = request;
    const { id, client, receivedAt } = request;
    this.#record = new RequestRecord({ id, client, receivedAt, modelInPath: null });
    this.#answer = new ClientAnswer(reply, {
      clock: services.clock,
      requestId: request.id,
      earlyHeaders: () => ({}),
      errorEvent: (body) => `data: ${JSON.stringify(body)}\n\n`,
    });
  }

  async run(): Promise<void> {
    try {
      await this.#serve(this.#knowing(this.#model()));
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#answer.close();
      this.#request.releaseBody();
      this.#report();
    }
  }

  #model(): ServedModel {
    const { provider, path, client } = this.#request;
    const { rawRoutes, stored } = this.#services;
    if (provider === null) return rawRoutes.findRaw(stored.providerOf(path.segments, client), null, client);
    return rawRoutes.findRaw(provider, path.segments.join('/').replace(/^v1\//, ''), client);
  }

  /** As far as its routes know what the path and, if it is JSON, the body refer to. */
  #knowing(model: ServedModel): ServedModel {
    const { path, body, client } = this.#request;
    // Not by what the client calls it: an upstream may read it all the same.
    const json = body && IS_OBJECT.test(body.toString('utf8', 0, 64)) ? parseBody(withoutMark(body)) : null;
    const references = referencesIn(json);
    const { stored, isShared } = this.#services;
    return stored.routesTo(model, [...path.segments, ...references], { ...client, isShared });
  }

  #keep(step: Step, json: unknown): void {
    const { method, client } = this.#request;
    this.#services.stored.keep(method === 'POST' ? keptBy(json) : resultsIn(json), step, client);
  }

  async #serve(model: ServedModel): Promise<void> {
    const queue = new QueueWait({ scheduler: this.#services.scheduler, answer: this.#answer });
    const retries = new Retries(model, this.#services);
    let turn = await this.#waited(queue, () => queue.enter(this.#ticket(model)));
    for (;;) {
      if (turn.kind === 'gone') return;
      if (turn.kind === 'rejected') throw retries.refused(turn.rejection);
      using lease = turn.lease;
      const end = await this.#attempt(model, lease);
      if (end.kind === 'served' || end.kind === 'gone') return;
      const next = retries.after(end, lease);
      if (next.kind === 'stop') throw next.error;
      if (this.#mayHaveBeenDone(end)) throw notRepeated(end.failure.reason);
      turn = await this.#waited(queue, () => queue.again(lease, next));
    }
  }

  /** An upload or a deletion that was sent and not answered: sent again, it could be done twice. */
  #mayHaveBeenDone({ failure }: Extract<AttemptEnd, { readonly kind: 'failed' | 'broken' }>): boolean {
    return this.#request.method !== 'GET' && failure.isSent && failure.answer === null;
  }

  #ticket(model: ServedModel): Omit<TicketRequest, 'onLease' | 'onRejection'> {
    const { client, id, method, path } = this.#request;
    const { quota, rejectsOnLimit } = this.#services.termsOf(client);
    return {
      id,
      client: client.name,
      model: model.routes,
      costs: model.targets.map(() => ONE_REQUEST.cost),
      clientQuota: quota,
      rejectsOnClientLimit: rejectsOnLimit,
      maxWaitMs: maxWaitMs(this.#request, { configuredMs: model.queue.maxWaitMs, now: this.#services.clock.now() }),
      maxQueueSize: model.queue.maxSize,
      placeKey: () => `${client.name} ${model.name} ${method} ${hashOf(JSON.stringify(path), this.#request.body)}`,
    };
  }

  async #waited(queue: QueueWait, wait: () => Promise<Turn>): Promise<Turn> {
    const { clock } = this.#services;
    const since = clock.now();
    const turn = await wait();
    this.#record.queueMs += clock.now() - since;
    this.#record.waitedFor(queue.waitedFor);
    return turn;
  }

  async #attempt(model: ServedModel, lease: Lease): Promise<AttemptEnd> {
    const { option, route } = lease;
    const target = model.targets[option.target];
    const endpoint = model.endpoints.get(route);
    if (!(target && endpoint)) throw new Error('a lease was granted for what cannot be sent');
    const step: Step = { target, endpoint, size: ONE_REQUEST };
    this.#record.attempted(step);
    return (await this.#send(step, lease)).end;
  }

  /** Not in `#attempt` itself, which would hold the body to its end. */
  #send(step: Step, lease: Lease): ReturnType<typeof Attempt.run> {
    const { settings } = this.#services;
    return Attempt.run(
      {
        services: this.#services,
        answer: this.#answer,
        lease,
        target: step.target,
        size: step.size,
        read: (common) => {
          const { status, headers } = common;
          const seen = (json: unknown): void => this.#keep(step, json);
          return new RawAnswer({ ...common, seen, begin: () => this.#begin(status, headers, common.begin) });
        },
        begin: () => this.#request.releaseBody(),
      },
      rawUpstreamRequest(this.#request, { ...step, userAgent: settings.userAgent }),
    );
  }

  #begin(status: number, headers: UpstreamHeaders, begin: () => void): void {
    begin();
    this.#answer.beginAs(status, {
      ...this.#headers(),
      ...safeAnswerHeaders(headers),
      'content-type': 'application/octet-stream',
      ...Object.assign({}, ...ABOUT_THE_BODY.map((name) => plainHeader(headers, name))),
      // Pages among the answers are data here: nothing of them may run under Sluice's own origin.
      'content-security-policy': "default-src 'none'; sandbox",
    });
  }

  #headers(): Readonly<Record<string, string>> {
    const services = { settings: this.#services.settings, rateHeaders: () => ({}) };
    return answerHeaders(services, { model: null, record: this.#record }, null);
  }

  /** Behind a head there is no place for an error: the answer is left without an end, which its owner cuts. */
  #fail(error: unknown): void {
    const known = error instanceof ProxyError ? error : internalError(this.#request.id, error);
    this.#record.failed(known);
    if (!this.#answer.isHeadSent) {
      throw new ProxyError(known.code, known.message, {
        ...known.details,
        headers: { ...this.#headers(), ...known.details.headers },
      });
    }
    if (known !== error) throw known;
  }

  #report(): void {
    const { isGone, isEnded, isHeadSent, firstByteAt } = this.#answer;
    const ending = { now: this.#services.clock.now(), hasLeft: isGone && !isEnded, isHeadSent, firstByteAt };
    this.#services.onSummary(this.#record.summary(ending));
  }
}

function notRepeated(reason: string): ProxyError {
  return new ProxyError(
    'upstream_error',
    `No answer: ${reason}. The request was not sent again, because it may have been carried out: look before you repeat it.`,
  );
}

function hashOf(path: string, body: Buffer | null): string {
  return createHash('sha256')
    .update(path)
    .update(body ?? '')
    .digest('base64');
}

/** Some servers read past a byte order mark. */
function withoutMark(bytes: Buffer): Buffer {
  return bytes.subarray(Math.max(0, bytes.indexOf(0x7b)));
}
