import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Cancel } from '../clock.ts';
import { contextExceeded, modelNotFound, rateLimited } from './api-error.ts';
import { CallAnswer } from './call-answer.ts';
import type { ChatRequest } from './chat-request.ts';
import { draw } from './distribution.ts';
import { failEarly } from './early-fault.ts';
import type { FaultRule } from './faults.ts';
import type { Refusal, UpstreamLimiter } from './limits/upstream-limiter.ts';
import type { Sender } from './organizations.ts';
import { promptTokens } from './prompt-size.ts';
import { rateHeaders } from './rate-headers.ts';
import { type Headers, sendError } from './respond.ts';
import type { Vendor } from './vendor.ts';

export interface IncomingCall {
  readonly sender: Sender;
  readonly request: ChatRequest;
  readonly headers: IncomingHttpHeaders;
  readonly response: ServerResponse;
  /** On the injected clock. */
  readonly receivedAt: number;
}

/**
 * One chat request on its way to the limiter: on the road (arrival delay) -> refused, failed by a fault, or admitted and
 * answered. A client that leaves on the road was never there.
 */
export class ChatCall {
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
    const { request, sender, response } = this.#call;
    const vendor = this.#vendor;
    if (!vendor.models.includes(request.model)) {
      vendor.book.refuse('model_not_found');
      sendError(response, modelNotFound(request.model), this.#headers());
      return;
    }
    const fault = vendor.faults.next({ key: sender.key, model: request.model, atMs: vendor.sinceStartMs() });
    if (fault) vendor.book.fault(fault.kind);
    if (fault && failEarly({ response, model: request.model, headers: this.#headers() }, fault)) return;
    const input = vendor.inVendorTokens(promptTokens(request, vendor.count));
    const { contextLength } = vendor.options;
    const cap = request.choiceCap ?? 0;
    if (contextLength !== undefined && input + cap > contextLength) {
      vendor.book.refuse('context_length_exceeded');
      sendError(response, contextExceeded(contextLength, input), this.#headers());
      return;
    }
    this.#admit(input, fault);
  }

  #admit(input: number, fault: FaultRule | null): void {
    const { request, sender, response, receivedAt } = this.#call;
    const vendor = this.#vendor;
    const limiter = vendor.organizations.limiterFor(sender.key, request.model);
    const outputCap = request.choiceCap === null ? null : request.choiceCap * request.n;
    const nowMs = vendor.nowMs();
    const verdict = limiter.admit(nowMs, { input, outputCap });
    if (!verdict.isAdmitted) {
      this.#refuse(verdict, limiter);
      return;
    }
    const headers = { ...this.#headers(), ...this.#rateHeaders(limiter) };
    new CallAnswer(vendor, {
      request,
      response,
      headers,
      receivedAt,
      fault,
      limiter,
      handle: verdict.handle,
      record: this.#record(input, outputCap, fault),
    }).begin();
  }

  #refuse(refusal: Refusal, limiter: UpstreamLimiter): void {
    const { request, sender, response } = this.#call;
    const vendor = this.#vendor;
    const nowMs = vendor.nowMs();
    const isNever = refusal.waitMs === Number.POSITIVE_INFINITY;
    vendor.book.rateLimit({
      key: sender.key,
      model: request.model,
      seq: request.seq ?? null,
      atMs: vendor.sinceStartMs(),
      limit: refusal.limit.spec.name,
      requested: refusal.requested,
      waitMs: isNever ? null : refusal.waitMs,
    });
    const error = rateLimited(refusal, { model: request.model, organization: sender.organization, nowMs });
    if (vendor.options.chargeRefused) for (const limit of limiter.limits) limit.chargeRefused(nowMs);
    const hints = vendor.options.retryAfter && !isNever ? retryAfter(refusal.waitMs, vendor.options.headers) : {};
    sendError(response, error, { ...this.#headers(), ...this.#rateHeaders(limiter), ...hints });
  }

  #rateHeaders(limiter: UpstreamLimiter): Headers {
    return rateHeaders(limiter.limits, this.#vendor.nowMs(), this.#vendor.options.headers ?? 'openai');
  }

  #headers(): Headers {
    const { sender, receivedAt } = this.#call;
    return {
      'x-request-id': this.#vendor.nextId('req_'),
      'openai-organization': sender.organization,
      'openai-version': '2020-10-01',
      'openai-processing-ms': String(Math.round(this.#vendor.clock.now() - receivedAt)),
    };
  }

  #record(input: number, outputCap: number | null, fault: FaultRule | null) {
    const { request, sender, headers, receivedAt } = this.#call;
    const requestId = headers['x-request-id'];
    const atMs = this.#vendor.sinceStartMs();
    return {
      key: sender.key,
      model: request.model,
      seq: request.seq ?? null,
      requestId: typeof requestId === 'string' ? requestId : null,
      user: request.user ?? null,
      arrivedMs: atMs - (this.#vendor.clock.now() - receivedAt),
      admittedMs: atMs,
      endedMs: null,
      isStreaming: request.isStreaming,
      input,
      outputCap,
      output: 0,
      fault: fault?.kind ?? null,
      outcome: 'in_flight' as const,
    };
  }
}

function retryAfter(waitMs: number, style: string | undefined): Headers {
  if (style === 'groq') return { 'retry-after': String(Math.ceil(waitMs) / 1000) };
  return { 'retry-after': String(Math.ceil(waitMs / 1000)), 'retry-after-ms': String(Math.ceil(waitMs)) };
}
