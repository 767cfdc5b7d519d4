import type { ServerResponse } from 'node:http';
import type { Cancel } from '../clock.ts';
import type { Answer, AnswerWriter, Usage } from './api/answer.ts';
import { RoundWriter } from './api/round-writer.ts';
import type { ErrorReply, Headers, ModelCallRead } from './api/vendor-api.ts';
import { composeAnswer, thinkingIn } from './compose-answer.ts';
import { draw } from './distribution.ts';
import type { FaultKind, FaultRule } from './faults.ts';
import type { AdmittedRecord } from './ledger.ts';
import type { Handle, UpstreamLimiter } from './limits/upstream-limiter.ts';
import type { Sender } from './organizations.ts';
import type { PromptSize } from './prompt-cost.ts';
import { sendError, sendJson, startStream } from './respond.ts';
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
  readonly read: ModelCallRead;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** As they were right after admission. */
  readonly rateHeaders: Headers;
  readonly sender: Sender;
  /** On the injected clock. */
  readonly receivedAt: number;
  readonly size: PromptSize;
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
  readonly #answer: Answer;
  readonly #writer: AnswerWriter;
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
    const { read } = call;
    const choices = composeAnswer(read.request, {
      words: vendor.words,
      usageFactor: vendor.options.usageFactor ?? 1,
      drawLength: () => draw(vendor.options.answer?.outputTokens ?? DEFAULT_OUTPUT_TOKENS, vendor.random),
    });
    this.#rounds = choices.reduce((longest, { length }) => Math.max(longest, length), 0);
    this.#answer = {
      id: vendor.nextId(''),
      created: Math.floor(vendor.nowMs() / 1000),
      model: read.request.model,
      choices,
      usageAfter: (rounds) => this.#usage(rounds),
    };
    this.#writer = read.write(this.#answer);
  }

  begin(): void {
    const { fault, response, record } = this.#call;
    const { options, random, book } = this.#vendor;
    book.admit(record);
    response.once('close', () => this.#leave());
    if (fault?.kind === 'hang') return;
    const slowMs = fault?.kind === 'slow_head' ? (fault.delayMs ?? DEFAULT_SLOW_HEAD_MS) : 0;
    const waitMs = slowMs + draw(options.answer?.firstByteMs ?? 0, random);
    this.#after(waitMs, () => this.#reply());
  }

  #reply(): void {
    const { read, response, fault } = this.#call;
    const headers = this.#headers();
    const isBroken = fault !== null && BREAKS.has(fault.kind);
    switch (fault?.kind) {
      case '500':
        this.#settle('failed', 0);
        sendError(response, this.#serverError(), headers);
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
        if (read.request.isStreaming) this.#answerStream(isBroken ? fault : null);
        else if (isBroken) this.#breakWhole(fault);
        else this.#answerWhole();
    }
  }

  #answerStream(fault: FaultRule | null): void {
    const { response } = this.#call;
    const first = fault?.kind === 'role_then_reset' ? 0 : (fault?.afterTokens ?? DEFAULT_BREAK_AFTER);
    startStream(response, this.#headers(), this.#writer.streamType);
    this.#stream = new AnswerStream(response, this.#vendor.clock, {
      chunks: new RoundWriter(this.#answer, this.#writer),
      rounds: this.#rounds,
      breakAfter: fault === null ? Number.POSITIVE_INFINITY : Math.min(first, this.#rounds),
      tokensPerSecond: this.#tokensPerSecond,
      onProgress: (rounds) => {
        const { limiter, handle } = this.#call;
        limiter.grow(this.#vendor.nowMs(), handle, this.#usage(rounds));
      },
      finish: () => this.#settle('completed', this.#rounds),
      onBreak: () => this.#breakStream(fault?.kind),
    });
    this.#stream.start();
  }

  #breakStream(kind: FaultKind | undefined): void {
    const { response } = this.#call;
    if (kind === 'stall') return;
    this.#settle('failed', this.#stream?.round ?? 0);
    if (kind === 'stream_error_late') response.end(this.#vendor.api.errorEvent(this.#serverError().body));
    else if (kind === 'cut_json') response.end(this.#writer.fragment());
    else this.#resetSoon();
  }

  #answerWhole(): void {
    this.#generatingSince = this.#vendor.clock.now();
    const pace = this.#tokensPerSecond;
    this.#after(pace > 0 ? (this.#rounds * 1000) / pace : 0, () => {
      const { response } = this.#call;
      const usage = this.#settle('completed', this.#rounds);
      sendJson(response, this.#writer.whole(usage), { status: 200, headers: this.#headers() });
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
    const body = this.#writer.whole(this.#usage(rounds));
    response.writeHead(200, { ...this.#headers(), 'content-type': 'application/json' });
    response.write(body.slice(0, Math.ceil(body.length / 3)));
    if (fault.kind === 'stall') return;
    this.#settle('failed', rounds);
    if (fault.kind === 'cut_json') response.end();
    else this.#resetSoon();
  }

  #failIn200(): void {
    this.#settle('failed', 0);
    const body = JSON.stringify(this.#serverError().body);
    sendJson(this.#call.response, body, { status: 200, headers: this.#headers() });
  }

  #errorAsFirstEvent(): void {
    const { read, response } = this.#call;
    if (!read.request.isStreaming) {
      this.#failIn200();
      return;
    }
    this.#settle('failed', 0);
    startStream(response, this.#headers(), this.#writer.streamType);
    response.end(this.#vendor.api.errorEvent(this.#serverError().body));
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
  #settle(outcome: 'completed' | 'aborted' | 'failed', rounds: number): Usage {
    const { handle, limiter, record } = this.#call;
    const usage = this.#usage(rounds);
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

  #usage(rounds: number): Usage {
    const { input, cached, cacheWritten } = this.#call.size;
    let output = 0;
    let thinking = 0;
    for (const choice of this.#answer.choices) {
      output += Math.min(choice.length, rounds);
      thinking += thinkingIn(choice, rounds);
    }
    const inTokens = (tokens: number): number => this.#vendor.inVendorTokens(tokens);
    return { input, cached, cacheWritten, output: inTokens(output), thinking: inTokens(thinking) };
  }

  #serverError(): ErrorReply {
    return this.#vendor.api.errorOf({ kind: 'server_error' }, this.#call.requestId);
  }

  #headers(): Headers {
    const { requestId, rateHeaders, receivedAt, sender, read } = this.#call;
    const { api, clock } = this.#vendor;
    const facts = {
      requestId,
      organization: sender.organization,
      model: read.request.model,
      elapsedMs: clock.now() - receivedAt,
      usage: this.#usage(this.#rounds),
    };
    return { ...api.headersOf(facts), ...rateHeaders };
  }

  get #tokensPerSecond(): number {
    return this.#vendor.options.answer?.tokensPerSecond ?? 0;
  }

  #after(delayMs: number, task: () => void): void {
    if (delayMs <= 0) task();
    else this.#cancel = this.#vendor.clock.schedule(delayMs, task);
  }
}
