import type { ServerResponse } from 'node:http';
import type { Cancel } from '../clock.ts';
import { errorBody, serverError } from './api-error.ts';
import type { ChatRequest } from './chat-request.ts';
import { ChunkWriter, type Completion, type CompletionUsage, wholeBody } from './completion.ts';
import { composeAnswer } from './compose-answer.ts';
import { draw } from './distribution.ts';
import type { FaultKind, FaultRule } from './faults.ts';
import type { AdmittedRecord } from './ledger.ts';
import type { Handle, UpstreamLimiter } from './limits/upstream-limiter.ts';
import { type Headers, sendError, sendJson, startStream } from './respond.ts';
import { AnswerStream } from './stream-answer.ts';
import type { Vendor } from './vendor.ts';

const DEFAULT_OUTPUT_TOKENS = 24;
const DEFAULT_SLOW_HEAD_MS = 5000;
const DEFAULT_BREAK_AFTER = 3;

/** What was written must reach the client before the reset overtakes it. */
const RESET_DELAY_MS = 20;

/** Faults in the middle of an answer: so many tokens come first, then this. */
const BREAKS: ReadonlySet<FaultKind> = new Set([
  'role_then_reset',
  'reset_within_body',
  'stall',
  'stream_error_late',
  'cut_json',
]);

export interface AdmittedCall {
  readonly request: ChatRequest;
  readonly response: ServerResponse;
  /** The rate limits among them are those right after admission. */
  readonly headers: Headers;
  /** On the injected clock. */
  readonly receivedAt: number;
  readonly fault: FaultRule | null;
  readonly limiter: UpstreamLimiter;
  readonly handle: Handle;
  readonly record: AdmittedRecord;
}

/**
 * The answer to an admitted request: waiting for its first byte -> streamed or whole -> settled. It is settled exactly
 * once: at its last byte, when a fault breaks it, or when the client leaves.
 */
export class CallAnswer {
  readonly #vendor: Vendor;
  readonly #call: AdmittedCall;
  readonly #generation: number;
  readonly #completion: Completion;
  /** Tokens of the longest choice. */
  readonly #rounds: number;
  #stream: AnswerStream | null = null;
  /** When a whole answer began to be generated. */
  #generatingSince: number | null = null;
  #cancel: Cancel | null = null;

  constructor(vendor: Vendor, call: AdmittedCall) {
    this.#vendor = vendor;
    this.#call = call;
    this.#generation = vendor.generation;
    const { request } = call;
    const choices = composeAnswer(request, {
      words: vendor.words,
      usageFactor: vendor.options.usageFactor ?? 1,
      drawLength: () => draw(vendor.options.answer?.outputTokens ?? DEFAULT_OUTPUT_TOKENS, vendor.random),
    });
    this.#rounds = Math.max(...choices.map(({ length }) => length));
    this.#completion = {
      id: vendor.nextId('chatcmpl-'),
      created: Math.floor(vendor.nowMs() / 1000),
      model: request.model,
      choices,
      includesUsage: request.includesUsage,
    };
  }

  begin(): void {
    const { fault, response, record } = this.#call;
    const { options, random, book } = this.#vendor;
    book.admit(record);
    response.once('close', () => this.#leave());
    if (fault?.kind === 'hang') return;
    const slowMs = fault?.kind === 'slow_head' ? (fault.delayMs ?? DEFAULT_SLOW_HEAD_MS) : 0;
    const waitMs = slowMs + draw(options.answer?.firstByteMs ?? 0, random);
    this.#after(waitMs, () => this.#answer());
  }

  #answer(): void {
    const { request, response, fault } = this.#call;
    const headers = this.#headers();
    const isBroken = fault !== null && BREAKS.has(fault.kind);
    switch (fault?.kind) {
      case '500':
        this.#settle('failed', 0);
        sendError(response, serverError(), headers);
        return;
      case 'reset_before_body':
        response.writeHead(200, { ...headers, 'content-type': 'application/json' });
        response.flushHeaders();
        this.#resetSoon();
        return;
      case 'error_in_200':
        this.#failIn200();
        return;
      case 'stream_error_first_event':
        this.#errorAsFirstEvent();
        return;
      case 'json_instead_of_stream':
        this.#answerWhole();
        return;
      default:
        if (request.isStreaming) this.#answerStream(isBroken ? fault : null);
        else if (isBroken) this.#breakWhole(fault);
        else this.#answerWhole();
    }
  }

  #answerStream(fault: FaultRule | null): void {
    const { response } = this.#call;
    const first = fault?.kind === 'role_then_reset' ? 0 : (fault?.afterTokens ?? DEFAULT_BREAK_AFTER);
    startStream(response, this.#headers());
    this.#stream = new AnswerStream(response, this.#vendor.clock, {
      chunks: new ChunkWriter(this.#completion),
      rounds: this.#rounds,
      breakAfter: fault === null ? Number.POSITIVE_INFINITY : Math.min(first, this.#rounds),
      tokensPerSecond: this.#tokensPerSecond,
      finish: () => this.#settle('completed', this.#rounds),
      onBreak: () => this.#breakStream(fault?.kind),
    });
    this.#stream.start();
  }

  #breakStream(kind: FaultKind | undefined): void {
    const { response } = this.#call;
    if (kind === 'stall') return;
    this.#settle('failed', this.#stream?.round ?? 0);
    if (kind === 'stream_error_late') response.end(`data: ${errorBody(serverError())}\n\n`);
    else if (kind === 'cut_json') response.end(`data: {"id":"${this.#completion.id}","object":"chat.compl`);
    else this.#resetSoon();
  }

  #answerWhole(): void {
    this.#generatingSince = this.#vendor.clock.now();
    const pace = this.#tokensPerSecond;
    this.#after(pace > 0 ? (this.#rounds * 1000) / pace : 0, () => {
      const { response } = this.#call;
      const usage = this.#settle('completed', this.#rounds);
      sendJson(response, wholeBody(this.#completion, usage), { status: 200, headers: this.#headers() });
    });
  }

  /** The first part of the body, in chunks and so without a length to miss, and then the fault. */
  #breakWhole(fault: FaultRule): void {
    const { response } = this.#call;
    if (fault.kind === 'stream_error_late') {
      this.#failIn200();
      return;
    }
    const rounds = Math.min(fault.afterTokens ?? DEFAULT_BREAK_AFTER, this.#rounds);
    const body = wholeBody(this.#completion, { input: this.#call.record.input, output: 0 });
    response.writeHead(200, { ...this.#headers(), 'content-type': 'application/json' });
    response.write(body.slice(0, body.indexOf('"finish_reason"')));
    if (fault.kind === 'stall') return;
    this.#settle('failed', rounds);
    if (fault.kind === 'cut_json') response.end();
    else this.#resetSoon();
  }

  #failIn200(): void {
    this.#settle('failed', 0);
    sendJson(this.#call.response, errorBody(serverError()), { status: 200, headers: this.#headers() });
  }

  #errorAsFirstEvent(): void {
    const { request, response } = this.#call;
    if (!request.isStreaming) {
      this.#failIn200();
      return;
    }
    this.#settle('failed', 0);
    startStream(response, this.#headers());
    response.end(`data: ${errorBody(serverError())}\n\n`);
  }

  #resetSoon(): void {
    this.#settle('failed', this.#stream?.round ?? 0);
    const { socket } = this.#call.response;
    this.#vendor.clock.schedule(RESET_DELAY_MS, () => socket?.resetAndDestroy());
  }

  /** The client has left, or the answer is complete and this changes nothing. */
  #leave(): void {
    this.#cancel?.();
    this.#stream?.stop();
    this.#settle('aborted', this.#stream?.round ?? this.#roundsOfWhole());
  }

  #roundsOfWhole(): number {
    if (this.#generatingSince === null) return 0;
    const elapsedMs = this.#vendor.clock.now() - this.#generatingSince;
    return Math.min(this.#rounds, Math.floor((elapsedMs * this.#tokensPerSecond) / 1000));
  }

  /** Tells limiter and books what was used; the first time counts. */
  #settle(outcome: 'completed' | 'aborted' | 'failed', rounds: number): CompletionUsage {
    const { handle, limiter, record } = this.#call;
    const usage = { input: record.input, output: this.#vendor.inVendorTokens(this.#tokensIn(rounds)) };
    if (!handle.isOpen) return usage;
    // A request that failed before it said anything cost the vendor nothing: only the request itself counts.
    const isFree = outcome === 'failed' && rounds === 0;
    limiter.finish(this.#vendor.nowMs(), handle, isFree ? { input: 0, output: 0 } : usage);
    record.outcome = outcome;
    record.output = isFree ? 0 : usage.output;
    record.endedMs = this.#vendor.sinceStartMs();
    this.#vendor.book.end(record, this.#generation === this.#vendor.generation);
    return usage;
  }

  #tokensIn(rounds: number): number {
    return this.#completion.choices.reduce((total, { length }) => total + Math.min(length, rounds), 0);
  }

  #headers(): Headers {
    const elapsedMs = this.#vendor.clock.now() - this.#call.receivedAt;
    return { ...this.#call.headers, 'openai-processing-ms': String(Math.round(elapsedMs)) };
  }

  get #tokensPerSecond(): number {
    return this.#vendor.options.answer?.tokensPerSecond ?? 0;
  }

  #after(delayMs: number, task: () => void): void {
    if (delayMs <= 0) task();
    else this.#cancel = this.#vendor.clock.schedule(delayMs, task);
  }
}
