import { ProxyError } from '../errors.ts';
import type { UpstreamHeaders } from '../upstream/transport.ts';
import { type Conversation, NO_CONVERSATION } from './affinity/affinity.ts';
import { answerHeaders } from './answer-headers.ts';
import type { Door } from './doors/door.ts';
import { doorOf } from './doors/doors.ts';
import type { ClientReply, ClientRequest } from './exchange.ts';
import { Fallbacks } from './fallbacks.ts';
import { FanOut } from './fan-out/fan-out.ts';
import { needsFanOut } from './fan-out/needs-fan-out.ts';
import { mayBeSentTwice } from './hedging/may-be-sent-twice.ts';
import { HeldBody } from './held-body.ts';
import { type ImageRequest, imagesToFetch, inlineImages, mustBeInline } from './images/inline-images.ts';
import { OrderSending } from './order-sending.ts';
import { ownAnswer } from './own-answer.ts';
import { type RequestBody, readRequestBody } from './request-body.ts';
import { RequestCourse, type Work } from './request-course.ts';
import type { FindModel, Order, Prepared } from './request-order.ts';
import type { Step } from './request-record.ts';
import type { RequestServices } from './request-services.ts';
import type { ServedModel } from './served-model.ts';
import { sizeRequest } from './size-request.ts';
import { referencesIn } from './stored/stored-ids.ts';

/**
 * Answers one request through its reply.
 * @throws ProxyError before the head of the answer is decided; afterwards failures are told in band
 */
export type RequestHandler = (request: ClientRequest, reply: ClientReply) => Promise<void>;

/** The main job: from a client's bytes to the scheduler, an upstream, and back. */
export function createRequestHandler(services: RequestServices): RequestHandler {
  return (request, reply) => new RequestRun(services, request, reply).run();
}

/**
 * One request on its way: read, made ready for its model, and then the course of every request.
 */
class RequestRun {
  readonly #services: RequestServices;
  readonly #request: ClientRequest;
  readonly #door: Door;
  readonly #course: RequestCourse;
  readonly #sending: OrderSending;
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
    this.#sending = new OrderSending(services, {
      request,
      door: this.#door,
      course: this.#course,
      headers: (upstream) => this.#headers(upstream),
    });
  }

  run(): Promise<void> {
    return this.#course.run(() => {
      const { find, held } = this.#read();
      return this.#serve(find, held);
    });
  }

  #read(): { readonly find: FindModel; readonly held: HeldBody } {
    const { models, settings } = this.#services;
    const { client, modelInPath, providerInPath } = this.#request;
    const body = readRequestBody(this.#request.body, this.#door.body);
    const { facts } = body;
    this.#course.record.read(facts);
    const find = () => models.find(modelInPath ?? facts.model, client, providerInPath);
    this.#model = find();
    this.#course.answer.expect(facts.isStreaming ? 'stream' : 'whole', settings);
    return { find, held: new HeldBody(this.#request, body) };
  }

  /** By the model that was asked or, where that cannot, by another one: whose error it was tells the client why not. */
  async #serve(find: FindModel, held: HeldBody): Promise<void> {
    const asked = this.#model as ServedModel;
    const fallbacks = new Fallbacks(asked, asked.fallbacks.length === 0 || this.#services.settings.isPart === true);
    const { record } = this.#course;
    let told: { readonly error: ProxyError; readonly step: Step | null } | null = null;
    for (let next = fallbacks.next(); next !== null; next = fallbacks.next()) {
      const { name, isPatient } = next;
      const isAsked = name === asked.name;
      const error = await this.#tryOn(isAsked ? find : () => this.#fallback(name), held, isPatient);
      if (error === null) return;
      if (isAsked) told = { error, step: record.step };
      fallbacks.add(isAsked ? asked : this.#services.models.fallback(name), error);
    }
    record.tellsOf(told?.step ?? null);
    throw told?.error;
  }

  /** Null: that model has served it, or its client has left. */
  async #tryOn(find: FindModel, held: HeldBody, isPatient: boolean): Promise<ProxyError | null> {
    try {
      const order = await this.#prepare(find, held);
      if (order) await this.#course.serve(this.#workOf({ ...order, isPatient }));
      return null;
    } catch (error) {
      if (!(error instanceof ProxyError) || this.#course.answer.hasBegun) throw error;
      return error;
    }
  }

  /** Null: it has been answered, and nothing more has to be sent for it. */
  async #prepare(findNamed: FindModel, held: HeldBody): Promise<Prepared | null> {
    const { operation } = this.#request;
    const read = held.reread(this.#door.body);
    const references = this.#references(read);
    const find = () => this.#knowing(findNamed(), references);
    const model = find();
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
      await this.#fanOut(find, body);
      return null;
    }
    const conversation = this.#conversation(model, read);
    const canBeHedged = mayBeSentTwice(this.#request, read.parsed);
    return { facts, model, sizes: await this.#sizes(body, model), conversation, held, find, canBeHedged };
  }

  #sizes(body: RequestBody, model: ServedModel): ReturnType<typeof sizeRequest> {
    return sizeRequest({ body, model, door: this.#door, client: this.#request.client.name }, this.#services);
  }

  /** The order for its model as that is by now. Targets that are the same are not sized again. */
  #renewed(order: Order): Work | (() => Promise<Work>) | null {
    const model = order.find();
    if (model === order.model) return null;
    const sizes = model.targets.map((target) => order.sizes[order.model.targets.indexOf(target)]);
    const isSized = sizes.every((size) => size !== undefined);
    // Where none of those can serve it that are left, sizing says why.
    if (isSized && sizes.some((size) => size !== null)) return this.#workOf({ ...order, model, sizes });
    return async () => {
      const body = await this.#withImages(order.held.reread(this.#door.body), model);
      order.held.replace(body);
      return this.#workOf({ ...order, model, sizes: await this.#sizes(body, model) });
    };
  }

  #fallback(name: string): ServedModel {
    const model = this.#services.models.fallback(name);
    if (model !== null) return model;
    throw new ProxyError('model_not_found', 'The model that had taken over is not configured any more.');
  }

  /** What the request refers to. A walk through all of it, so only where that can be. */
  #references({ facts, parsed }: RequestBody): readonly string[] {
    return this.#door.operation === 'responses' || facts.needs.includes('files') ? referencesIn(parsed) : [];
  }

  /** As far as its routes know what the request refers to. */
  #knowing(model: ServedModel, references: readonly string[]): ServedModel {
    const { stored, isShared } = this.#services;
    return stored.routesTo(model, references, { ...this.#request.client, isShared });
  }

  /** Where there is a choice, and a conversation that could make it. */
  #conversation({ name, affinityMs, routes }: ServedModel, { facts, parsed }: RequestBody): Conversation {
    const turns = parsed === null ? undefined : this.#door.turns?.(parsed);
    if (parsed === null || turns === undefined || affinityMs === null || routes.options.length < 2)
      return NO_CONVERSATION;
    const { client } = this.#request;
    const about = { client: client.name, model: name, keptMs: affinityMs };
    return this.#services.affinity.follow({ ...about, turns, body: parsed, user: facts.user });
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
  #fanOut(find: FindModel, body: RequestBody): Promise<void> {
    const services: RequestServices = {
      ...this.#services,
      models: { find, fallback: () => null },
      // Silence counts from what any of them brings.
      settings: { ...this.#services.settings, streamKeepaliveMs: null, earlyHead: null, isPart: true },
      onSummary: (summary) => this.#course.record.part(summary),
    };
    return new FanOut(this.#request, body, this.#course.answer).run(createRequestHandler(services));
  }

  #workOf(order: Order): Work {
    const { facts, model, sizes, held, conversation } = order;
    const isAsked = model.name === this.#model?.name;
    if (isAsked) {
      this.#model = model;
      this.#course.record.sized(sizes);
    }
    return {
      model,
      costs: sizes.map((size) => size?.cost ?? null),
      prices: sizes.map((size) => size?.predictedNanoUsd ?? null),
      isStreamed: facts.isStreaming,
      prefers: conversation.prefers,
      placeKey: () => (isAsked ? held.placeKey() : `${held.placeKey()} ${model.name}`),
      mayGoElsewhere: !isAsked || model.fallbacks.length > 0,
      isImpatient: !order.isPatient,
      attempt: (lease) => this.#sending.attempt(order, lease),
      renewed: () => this.#renewed(order),
    };
  }

  #headers(upstream: UpstreamHeaders | null): Readonly<Record<string, string>> {
    return answerHeaders(this.#services, { model: this.#model, record: this.#course.record }, upstream);
  }
}
