import { ProxyError } from '../errors.ts';
import type { Wire } from '../providers/wire.ts';
import type { Lease } from '../scheduler/lease.ts';
import type { UpstreamHeaders } from '../upstream/transport.ts';
import { answerHeaders } from './answer-headers.ts';
import { type AnswerKind, answerReader } from './answer-kind.ts';
import type { AnswerParts, AnswerReader } from './answer-reader.ts';
import { Attempt, type AttemptResult } from './attempt.ts';
import type { AttemptEnd } from './attempt-end.ts';
import type { Door } from './doors/door.ts';
import { doorOf } from './doors/doors.ts';
import type { ClientReply, ClientRequest } from './exchange.ts';
import { Fallbacks } from './fallbacks.ts';
import { FanOut } from './fan-out/fan-out.ts';
import { needsFanOut } from './fan-out/needs-fan-out.ts';
import { HeldBody } from './held-body.ts';
import { type ImageRequest, imagesToFetch, inlineImages, mustBeInline } from './images/inline-images.ts';
import { learnFrom } from './learn.ts';
import { ownAnswer } from './own-answer.ts';
import { type RequestBody, type RequestFacts, readRequestBody } from './request-body.ts';
import { RequestCourse, type Work } from './request-course.ts';
import type { Step } from './request-record.ts';
import type { RequestServices } from './request-services.ts';
import type { ServedModel } from './served-model.ts';
import { sizeRequest, type TargetSize } from './size-request.ts';
import { keptBy, referencesIn } from './stored/stored-ids.ts';
import { upstreamRequest } from './upstream-request.ts';

/**
 * Answers one request through its reply.
 * @throws ProxyError before the head of the answer is decided; afterwards failures are told in band
 */
export type RequestHandler = (request: ClientRequest, reply: ClientReply) => Promise<void>;

/** The main job: from a client's bytes to the scheduler, an upstream, and back. */
export function createRequestHandler(services: RequestServices): RequestHandler {
  return (request, reply) => new RequestRun(services, request, reply).run();
}

/** A request that has been read: what it takes to wait and to send. Its bytes are in `held` alone. */
interface Order {
  readonly facts: RequestFacts;
  readonly held: HeldBody;
  readonly model: ServedModel;
  /** By target. */
  readonly sizes: readonly (TargetSize | null)[];
}

/** A route of an attempt, and how it is asked. */
interface Sending extends Step {
  /** Of the operation that was asked for. */
  readonly wire: Wire;
}

/**
 * One request on its way: read, made ready for its model, and then the course of every request.
 */
class RequestRun {
  readonly #services: RequestServices;
  readonly #request: ClientRequest;
  readonly #door: Door;
  readonly #course: RequestCourse;
  #model: ServedModel | null = null;

  constructor(services: RequestServices, request: ClientRequest, reply: ClientReply) {
    this.#services = services;
    this.#request = request;
    this.#door = doorOf(request.operation);
    this.#course = new RequestCourse(services, request, {
      reply,
      headers: () => this.#headers(null),
      earlyHeaders: () => this.#headers(null),
      errorEvent: (body, status) => this.#door.errorEvent(body, status),
      errorBody: (body, status) => this.#door.errorBody?.(body, status) ?? body,
    });
  }

  run(): Promise<void> {
    return this.#course.run(() => {
      const { model, held } = this.#read();
      return this.#serve(model, held);
    });
  }

  #read(): { readonly model: ServedModel; readonly held: HeldBody } {
    const { models, settings } = this.#services;
    const { client, modelInPath, providerInPath } = this.#request;
    const body = readRequestBody(this.#request.body, this.#door.body);
    const { facts } = body;
    this.#course.record.read(facts);
    const model = models.find(modelInPath ?? facts.model, client, providerInPath);
    this.#model = model;
    this.#course.answer.expect(facts.isStreaming ? 'stream' : 'whole', settings);
    return { model, held: new HeldBody(this.#request, body) };
  }

  /** By the model that was asked or, where that cannot, by another one: whose error it was tells the client why not. */
  async #serve(asked: ServedModel, held: HeldBody): Promise<void> {
    const failure = await this.#tryOn(asked, held);
    if (failure === null) return;
    const { record } = this.#course;
    const { step } = record;
    const fallbacks = new Fallbacks(asked);
    if (!this.#services.settings.isPart) fallbacks.add(asked, failure);
    for (let name = fallbacks.next(); name !== null; name = fallbacks.next()) {
      const model = this.#services.models.fallback(name);
      const another = model && (await this.#tryOn(model, held));
      if (model && another === null) return;
      if (model && another) fallbacks.add(model, another);
    }
    record.blames(step);
    throw failure;
  }

  /** Null: that model has served it, or its client has left. */
  async #tryOn(model: ServedModel, held: HeldBody): Promise<ProxyError | null> {
    try {
      const order = await this.#prepare(model, held);
      if (order) await this.#course.serve(this.#workOf(order));
      return null;
    } catch (error) {
      if (!(error instanceof ProxyError) || this.#course.answer.hasBegun) throw error;
      return error;
    }
  }

  /** Null: it has been answered, and nothing more has to be sent for it. */
  async #prepare(named: ServedModel, held: HeldBody): Promise<Order | null> {
    const { client, operation } = this.#request;
    const read = held.reread(this.#door.body);
    const model = this.#knowing(named, read);
    const body = await this.#withImages(read, model);
    held.replace(body);
    const { facts } = body;
    const own = ownAnswer(this.#door, { body, model }, this.#services);
    if (own !== null) {
      const json = JSON.stringify(await own);
      this.#course.answer.beginWhole(this.#headers(null));
      this.#course.answer.end(Buffer.from(json));
      return null;
    }
    if (needsFanOut(model, operation, facts)) {
      await this.#fanOut(model, body);
      return null;
    }
    const sizes = await sizeRequest({ body, model, door: this.#door, client: client.name }, this.#services);
    return { facts, model, sizes, held };
  }

  /** As far as its routes know what the request refers to. A walk through all of it, so only where that can be. */
  #knowing(model: ServedModel, { facts, parsed }: RequestBody): ServedModel {
    const { stored, isShared } = this.#services;
    const refers = this.#door.operation === 'responses' || facts.needs.includes('files');
    return refers ? stored.routesTo(model, referencesIn(parsed), { ...this.#request.client, isShared }) : model;
  }

  /** The pictures that a target wants inside the request are put there first: sizes and refusals are about what is sent. */
  async #withImages(body: RequestBody, model: ServedModel): Promise<RequestBody> {
    const { operation } = this.#door;
    const images = imagesToFetch(model, operation, body.parsed ?? {});
    if (images.length === 0) return body;
    const gone = new AbortController();
    this.#course.answer.whenGone(() => gone.abort());
    const request: ImageRequest = {
      bytes: body.bytes,
      signal: gone.signal,
      holds: (size) => this.#request.holds(size),
    };
    const source = this.#services.images;
    const inlined = await inlineImages(images, request, {
      source,
      isNeeded: (image) => mustBeInline(model, operation, image),
    });
    this.#course.answer.whenGone(null);
    return readRequestBody(inlined, this.#door.body);
  }

  /** One request for each choice, each on its way as any other; the answer is theirs together, and of one model. */
  #fanOut(model: ServedModel, body: RequestBody): Promise<void> {
    const services: RequestServices = {
      ...this.#services,
      models: { find: () => model, fallback: () => null },
      // Silence counts from what any of them brings.
      settings: { ...this.#services.settings, streamKeepaliveMs: null, earlyHead: null, isPart: true },
      onSummary: (summary) => this.#course.record.part(summary),
    };
    return new FanOut(this.#request, body, this.#course.answer).run(createRequestHandler(services));
  }

  #workOf(order: Order): Work {
    const { facts, model, sizes, held } = order;
    const isAsked = model.name === this.#model?.name;
    return {
      model,
      costs: sizes.map((size) => size?.cost ?? null),
      prices: sizes.map((size) => size?.predictedNanoUsd ?? null),
      isStreamed: facts.isStreaming,
      placeKey: () => (isAsked ? held.placeKey() : `${held.placeKey()} ${model.name}`),
      mayGoElsewhere: !isAsked || model.fallbacks.length > 0,
      attempt: (lease) => this.#attempt(order, lease),
    };
  }

  async #attempt(order: Order, lease: Lease): Promise<AttemptEnd> {
    const step = this.#stepOn(order, lease);
    if (!step) throw new Error('a lease was granted for what cannot be sent');
    this.#course.record.attempted(step);
    const { end, usage } = await this.#send(order, lease, step);
    this.#course.record.usage = usage;
    if (end.kind === 'served' && usage && this.#door.generates)
      this.#learn(order, { target: step.target, size: step.size, usage });
    return end;
  }

  /** Not in `#attempt` itself: what an async function has in hand it holds to its end, and here that would be the body. */
  #send({ facts, held }: Order, lease: Lease, step: Sending): Promise<AttemptResult> {
    const { body } = held;
    if (!body) throw new Error('a lease was granted for a body that is gone');
    const { request, dropped } = upstreamRequest(this.#request, body, {
      ...step,
      userAgent: this.#services.settings.userAgent,
    });
    this.#course.record.dropped = dropped;
    const begin = (upstream: UpstreamHeaders): void => {
      held.release();
      this.#begin(facts, upstream);
    };
    const { target, size, wire } = step;
    const kind: AnswerKind = { clock: this.#services.clock, door: this.#door, target, size, wire, facts };
    const { operation } = this.#door;
    const seen = operation === 'responses' ? (json: unknown) => this.#keep(step, json) : () => undefined;
    const read = (common: AnswerParts): AnswerReader => answerReader(kind, { ...common, seen });
    // What goes by way of a chat asks for nothing rare.
    const isRareEndpoint = operation !== 'chat' && target.provider.wires[operation] !== undefined;
    const asked = { isRareEndpoint, isLimitedApart: wire.isLimitedApart ?? false };
    const parts = { services: this.#services, answer: this.#course.answer, lease, target, size, ...asked, read, begin };
    return Attempt.run(parts, request);
  }

  #keep(step: Step, json: unknown): void {
    this.#services.stored.keep(keptBy(json), step, this.#request.client);
  }

  #begin({ isStreaming }: RequestFacts, upstream: UpstreamHeaders): void {
    const headers = this.#headers(upstream);
    if (isStreaming) this.#course.answer.beginStream(headers);
    else this.#course.answer.beginWhole(headers);
  }

  #learn({ model, facts }: Order, learned: Pick<Parameters<typeof learnFrom>[1], 'target' | 'size' | 'usage'>): void {
    const { outputCapTokens } = facts;
    learnFrom(this.#services, { ...learned, model: model.name, client: this.#request.client.name, outputCapTokens });
  }

  #headers(upstream: UpstreamHeaders | null): Readonly<Record<string, string>> {
    return answerHeaders(this.#services, { model: this.#model, record: this.#course.record }, upstream);
  }

  #stepOn({ model, sizes }: Order, { option, route }: Lease): Sending | null {
    const target = model.targets[option.target];
    const size = sizes[option.target];
    const endpoint = model.endpoints.get(route);
    const wire = target?.wires[this.#door.operation];
    return target && size && endpoint && wire ? { target, size, endpoint, wire } : null;
  }
}
