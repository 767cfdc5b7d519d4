import { createHash } from 'node:crypto';
import { ProxyError } from '../../errors.ts';
import { FREE } from '../../money.ts';
import type { Lease } from '../../scheduler/lease.ts';
import { plainHeader, safeAnswerHeaders } from '../../upstream/hop-by-hop.ts';
import type { UpstreamHeaders } from '../../upstream/transport.ts';
import { answerHeaders } from '../answer-headers.ts';
import { parseBody } from '../answer-reader.ts';
import { Attempt } from '../attempt.ts';
import type { FailedEnd } from '../attempt-end.ts';
import type { ClientReply } from '../exchange.ts';
import { type Attempted, RequestCourse, type Work } from '../request-course.ts';
import type { Step } from '../request-record.ts';
import type { ServedModel } from '../served-model.ts';
import type { TargetSize } from '../size-request.ts';
import { keptBy, namesIn, referencesIn, resultsIn } from '../stored/stored-ids.ts';
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
  price: null,
  predictedNanoUsd: null,
};

/** To read, cancel or delete what was made and paid before. */
const ONE_FREE_REQUEST: TargetSize = { ...ONE_REQUEST, price: FREE, predictedNanoUsd: 0 };

/** How a JSON object begins. */
const IS_OBJECT = /^\s*\{/;

/** Of the upstream's headers, what a client needs to make sense of the body. */
const ABOUT_THE_BODY = ['content-type', 'content-length', 'content-disposition'] as const;

/**
 * One raw request on its way: the course of every request, but that its body is not read, and that behind a head there is
 * no place for an error.
 */
class RawRun {
  readonly #services: RawServices;
  readonly #request: RawRequest;
  readonly #course: RequestCourse;

  constructor(services: RawServices, request: RawRequest, reply: ClientReply) {
    this.#services = services;
    this.#request = request;
    this.#course = new RequestCourse(services, request, {
      reply,
      headers: () => this.#headers(),
      earlyHeaders: () => ({}),
      errorEvent: (body) => `data: ${JSON.stringify(body)}\n\n`,
      errorBody: (body) => body,
    });
    const { earlyHead } = services.settings;
    // White space may not stand before a body that nobody knows.
    this.#course.answer.expect('whole', {
      streamKeepaliveMs: null,
      earlyHead: earlyHead?.mode === 'interim' ? earlyHead : null,
    });
  }

  run(): Promise<void> {
    return this.#course.run(() => this.#course.serve(this.#workOn(this.#knowing(this.#model()))));
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
    return stored.routesTo(model, [...namesIn(path.segments), ...references], { ...client, isShared });
  }

  #keep(step: Step, json: unknown): void {
    const { method, client } = this.#request;
    this.#services.stored.keep(method === 'POST' ? keptBy(json) : resultsIn(json), step, client);
  }

  #workOn(model: ServedModel): Work {
    const { client, method, path } = this.#request;
    return {
      model,
      costs: model.targets.map(() => ONE_REQUEST.cost),
      prices: model.targets.map(() => this.#size.predictedNanoUsd),
      placeKey: () => `${client.name} ${model.name} ${method} ${hashOf(JSON.stringify(path), this.#request.body)}`,
      mayGoElsewhere: false,
      isImpatient: false,
      attempt: (lease) => this.#attempt(model, lease),
      forbidsRepeat: (end) => (this.#mayHaveBeenDone(end) ? notRepeated(end.failure.reason) : null),
      renewed: () => {
        const now = this.#knowing(this.#model());
        return now === model ? null : this.#workOn(now);
      },
    };
  }

  get #size(): TargetSize {
    return this.#request.provider === null ? ONE_FREE_REQUEST : ONE_REQUEST;
  }

  /** An upload or a deletion that was sent and not answered: sent again, it could be done twice. */
  #mayHaveBeenDone({ failure }: FailedEnd): boolean {
    return this.#request.method !== 'GET' && failure.isSent && failure.answer === null;
  }

  async #attempt(model: ServedModel, lease: Lease): Promise<Attempted> {
    const { option, route } = lease;
    const target = model.targets[option.target];
    const endpoint = model.endpoints.get(route);
    if (!(target && endpoint)) throw new Error('a lease was granted for what cannot be sent');
    const step: Step = { target, endpoint, size: this.#size };
    this.#course.record.attempted(step);
    return { end: (await this.#send(step, lease)).end, lease };
  }

  /** Not in `#attempt` itself, which would hold the body to its end. */
  #send(step: Step, lease: Lease): ReturnType<typeof Attempt.run> {
    const { settings } = this.#services;
    return Attempt.run(
      {
        services: this.#services,
        answer: this.#course.answer,
        tab: this.#course.tab,
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
    this.#course.answer.beginAs(status, {
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
    return answerHeaders(services, { model: null, record: this.#course.record }, null);
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
