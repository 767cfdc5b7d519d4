import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Cancel } from '../clock.ts';
import type { Failure } from './api/failure.ts';
import type { Headers, ModelCallRead } from './api/vendor-api.ts';
import { CallAnswer } from './call-answer.ts';
import { draw } from './distribution.ts';
import { failEarly } from './early-fault.ts';
import type { FaultRule } from './faults.ts';
import type { UpstreamLimit } from './limits/upstream-limit.ts';
import type { Refusal, UpstreamLimiter } from './limits/upstream-limiter.ts';
import type { Sender } from './organizations.ts';
import { type PromptSize, sizeOf } from './prompt-cost.ts';
import { rateHeaders } from './rate-headers.ts';
import { sendError } from './respond.ts';
import type { Vendor } from './vendor.ts';

export interface IncomingCall {
  readonly sender: Sender;
  readonly read: ModelCallRead;
  readonly headers: IncomingHttpHeaders;
  readonly response: ServerResponse;
  /** On the injected clock. */
  readonly receivedAt: number;
}

/**
 * One request for a model on its way to the limiter: on the road (arrival delay) -> refused, failed by a fault, or
 * admitted and answered. A client that leaves on the road was never there.
 */
export class ModelCall {
  readonly #vendor: Vendor;
  readonly #call: IncomingCall;
  #cancelArrival: Cancel | null = null;

  constructor(vendor: Vendor, call: IncomingCall) {
    this.#vendor = vendor;
    this.#call = call;
  }

  begin(): void {
    const { book, options, random, clock } = this.#vendor;
    const { response } = this.#call;
    book.receive();
    const delayMs = draw(options.arrivalDelayMs ?? 0, random);
    if (delayMs <= 0) {
      this.#arrive();
      return;
    }
    const leave = (): void => {
      this.#cancelArrival?.();
      book.refuse('left_before_admission');
    };
    response.once('close', leave);
    this.#cancelArrival = clock.schedule(delayMs, () => {
      response.off('close', leave);
      this.#arrive();
    });
  }

  #arrive(): void {
    const { sender, response } = this.#call;
    const { model, choiceCap } = this.#request;
    const vendor = this.#vendor;
    if (!vendor.models.includes(model)) {
      vendor.book.refuse('model_not_found');
      this.#fail({ kind: 'model_not_found', model });
      return;
    }
    const fault = vendor.faults.next({ key: sender.key, model, atMs: vendor.sinceStartMs() });
    if (fault) vendor.book.fault(fault.kind);
    if (fault && failEarly({ response, model, fail: (failure) => this.#fail(failure) }, fault)) return;
    const size = sizeOf(vendor, this.#request, sender.organization);
    const { contextLength } = vendor.options;
    const cap = vendor.api.hasCapInContext ? (choiceCap ?? 0) : 0;
    if (contextLength !== undefined && size.input + cap > contextLength) {
      vendor.book.refuse('context_length_exceeded');
      this.#fail({ kind: 'context_exceeded', contextLength, input: size.input, cap });
      return;
    }
    this.#admit(size, fault);
  }

  #admit(size: PromptSize, fault: FaultRule | null): void {
    const { read, sender, response, receivedAt } = this.#call;
    const { model, choiceCap, n } = this.#request;
    const vendor = this.#vendor;
    const limiter = vendor.organizations.limiterFor(sender.key, model);
    const outputCap = choiceCap === null ? null : choiceCap * n;
    const verdict = limiter.admit(vendor.nowMs(), { input: size.input, outputCap, cached: size.cached });
    if (!verdict.isAdmitted) {
      this.#refuse(verdict, limiter);
      return;
    }
    size.remember();
    new CallAnswer(vendor, {
      read,
      response,
      requestId: vendor.nextId('req_'),
      rateHeaders: this.#rateHeaders(limiter, null),
      sender,
      receivedAt,
      size,
      fault,
      limiter,
      handle: verdict.handle,
      record: this.#record(size, outputCap, fault),
    }).begin();
  }

  #refuse(refusal: Refusal, limiter: UpstreamLimiter): void {
    const { sender } = this.#call;
    const { model, seq } = this.#request;
    const vendor = this.#vendor;
    const nowMs = vendor.nowMs();
    const isNever = refusal.waitMs === Number.POSITIVE_INFINITY;
    vendor.book.rateLimit({
      key: sender.key,
      model,
      seq: seq ?? null,
      atMs: vendor.sinceStartMs(),
      limit: refusal.limit.spec.name,
      requested: refusal.requested,
      waitMs: isNever ? null : refusal.waitMs,
    });
    const { organization } = sender;
    const { retryAfter: sendsHint, headers: style } = vendor.options;
    const failure = { kind: 'rate_limited', refusal, model, organization, nowMs, sendsHint, style } as const;
    const requestId = vendor.nextId('req_');
    // What is left is told as it was when the limiter refused: the charge for asking comes after.
    const error = vendor.api.errorOf(failure, requestId);
    if (vendor.options.chargeRefused) for (const limit of limiter.limits) limit.chargeRefused(nowMs);
    sendError(this.#call.response, error, {
      ...this.#headers(requestId),
      ...this.#rateHeaders(limiter, refusal.limit),
    });
  }

  get #request() {
    return this.#call.read.request;
  }

  #fail(failure: Failure): void {
    const requestId = this.#vendor.nextId('req_');
    const headers = failure.kind === 'bare_rate_limit' ? {} : this.#headers(requestId);
    sendError(this.#call.response, this.#vendor.api.errorOf(failure, requestId), headers);
  }

  #rateHeaders({ limits }: UpstreamLimiter, refusedBy: UpstreamLimit | null): Headers {
    const { api, options } = this.#vendor;
    const nowMs = this.#vendor.nowMs();
    if (options.headers !== undefined) return rateHeaders(limits, nowMs, options.headers);
    return api.rateHeaders({ limits, nowMs, model: this.#request.model, refusedBy });
  }

  #headers(requestId: string): Headers {
    const { sender, receivedAt } = this.#call;
    return this.#vendor.api.headersOf({
      requestId,
      organization: sender.organization,
      model: this.#request.model,
      elapsedMs: this.#vendor.clock.now() - receivedAt,
      usage: null,
    });
  }

  #record({ input }: PromptSize, outputCap: number | null, fault: FaultRule | null) {
    const { sender, headers, receivedAt } = this.#call;
    const { model, seq, user, isStreaming } = this.#request;
    const requestId = headers['x-request-id'];
    const atMs = this.#vendor.sinceStartMs();
    return {
      key: sender.key,
      model,
      seq: seq ?? null,
      requestId: typeof requestId === 'string' ? requestId : null,
      user: user ?? null,
      arrivedMs: atMs - (this.#vendor.clock.now() - receivedAt),
      admittedMs: atMs,
      endedMs: null,
      isStreaming,
      input,
      outputCap,
      output: 0,
      fault: fault?.kind ?? null,
      outcome: 'in_flight' as const,
    };
  }
}
