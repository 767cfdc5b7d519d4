import type { Dispatcher } from 'undici';
import type { Clock } from '../clock.ts';
import type { Bag, Bagged } from './bag.ts';
import { CallTimers, type TimeoutKind } from './call-timers.ts';
import { ContentDecoder, contentCodingOf } from './content-decoder.ts';
import type { Opening } from './opening.ts';
import type {
  FailureKind,
  UpstreamCall,
  UpstreamFailure,
  UpstreamHandler,
  UpstreamHeaders,
  UpstreamRequest,
} from './transport.ts';

type Controller = Dispatcher.DispatchController;

export interface CallSetting {
  readonly clock: Clock;
  /** Calls that have not ended; a call takes itself out. */
  readonly open: Bag<UndiciCall>;
}

/**
 * One request between the port and undici's dispatch handler.
 *
 * States: connecting -> sent (`onRequestStart`) -> answering (the final head) -> over (`onEnd` or `onFailed`, once). The
 * end is told in the moment it is known and the connection torn down behind it; whatever undici still reports is dropped.
 * That covers the time before `onRequestStart`, in which undici has no handle to abort with: the connection in the making
 * is abandoned, and a request that gets one all the same is aborted before a byte of it is written.
 */
export class UndiciCall implements UpstreamCall, Dispatcher.DispatchHandler, Bagged {
  place = -1;
  readonly #handler: UpstreamHandler;
  readonly #timers: CallTimers;
  readonly #open: Bag<UndiciCall>;
  #opening: Opening | null = null;
  #controller: Controller | null = null;
  #decoder: ContentDecoder | null = null;
  #isDispatching = false;
  #isSent = false;
  #isPaused = false;
  #isOver = false;

  constructor(request: UpstreamRequest, handler: UpstreamHandler, setting: CallSetting) {
    this.#handler = handler;
    this.#open = setting.open;
    const { origin, timeouts } = request;
    this.#timers = new CallTimers(setting.clock, timeouts, (kind) => {
      this.#fail(kind, new Error(timeoutMessage(kind, origin)));
    });
    setting.open.add(this);
  }

  /** Runs undici's dispatch. What it refuses at once is reported after `send` has returned, like every other failure. */
  start(dispatch: (handler: UndiciCall) => void): void {
    this.#isDispatching = true;
    try {
      dispatch(this);
    } catch (error) {
      this.#fail('invalid_request', asError(error));
    }
    this.#isDispatching = false;
  }

  /** The connection that the request has been queued on, told before it opens. */
  opensThrough(opening: Opening): void {
    this.#opening = opening;
  }

  pause(): void {
    if (this.#isOver || this.#isPaused) return;
    this.#isPaused = true;
    this.#timers.pause();
    this.#decoder?.pause();
    this.#controller?.pause();
  }

  resume(): void {
    if (this.#isOver || !this.#isPaused) return;
    this.#isPaused = false;
    this.#timers.resume();
    this.#decoder?.resume();
    this.#resumeReading();
  }

  abort(): void {
    // The usual case, at the end of every attempt; an error that nobody reads would cost more than all the rest.
    if (this.#isOver) return;
    this.#fail('aborted', new Error('The call was aborted.'));
  }

  firstEventSeen(): void {
    this.#timers.firstEvent();
  }

  onRequestStart(controller: Controller): void {
    if (this.#isOver) {
      controller.abort(new Error('The call had ended before a connection stood.'));
      return;
    }
    this.#controller = controller;
    this.#isSent = true;
    this.#timers.sent();
    if (this.#isPaused) controller.pause();
    this.#handler.onSent();
  }

  onResponseStart(controller: Controller, status: number, headers: UpstreamHeaders): void {
    // 102 and 103 announce; the answer is still to come (RFC 9110, 15.2).
    if (this.#isOver || status < 200) return;
    const coding = contentCodingOf(headers['content-encoding']);
    if (coding === null) {
      this.#handler.onHead(status, headers);
      return;
    }
    this.#decoder = new ContentDecoder(coding, {
      onData: (chunk) => this.#deliver(chunk),
      onEnd: () => this.#end(),
      onError: (error) => this.#fail('broken', error),
      onDrain: () => this.#resumeReading(),
    });
    if (controller.paused) this.#decoder.pause();
    this.#handler.onHead(status, decodedHeaders(headers));
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#isOver) return;
    this.#timers.piece();
    if (!this.#decoder) this.#handler.onData(chunk);
    else if (!this.#decoder.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    if (this.#decoder) this.#decoder.end();
    else this.#end();
  }

  /** May come without a controller: before `onRequestStart` there is none. */
  onResponseError(_controller: Controller | null, error: Error): void {
    this.#fail(failureKind(error, this.#isSent), error);
  }

  #deliver(chunk: Buffer): void {
    if (!this.#isOver) this.#handler.onData(chunk);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#close();
    this.#handler.onEnd();
  }

  #fail(kind: FailureKind, cause: Error): void {
    if (this.#isOver) return;
    const failure: UpstreamFailure = { kind, isSent: this.#isSent, cause };
    const controller = this.#controller;
    const opening = this.#opening;
    this.#close();
    if (controller) controller.abort(cause);
    else opening?.abandon(cause);
    if (this.#isDispatching) queueMicrotask(() => this.#handler.onFailed(failure));
    else this.#handler.onFailed(failure);
  }

  /** Lets go of everything that is timed or held; nothing is reported after it but the end itself. */
  #close(): void {
    this.#isOver = true;
    this.#open.remove(this);
    this.#timers.stop();
    this.#decoder?.destroy();
    this.#decoder = null;
    this.#controller = null;
    this.#opening = null;
  }

  /** Reads on unless somebody still cannot take more: the owner, or the decoder. */
  #resumeReading(): void {
    if (this.#isPaused || this.#decoder?.isCongested) return;
    this.#controller?.resume();
  }
}

function failureKind(error: Error, isSent: boolean): FailureKind {
  if (isSent) return 'broken';
  const code = 'code' in error ? error.code : undefined;
  if (code === 'UND_ERR_INVALID_ARG') return 'invalid_request';
  return code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT' ? 'connect_timeout' : 'connect';
}

/** The head of a body that has been decoded: its coding is gone and its length is not known. */
function decodedHeaders(headers: UpstreamHeaders): UpstreamHeaders {
  const { 'content-encoding': _coding, 'content-length': _length, ...others } = headers;
  return others;
}

function timeoutMessage(kind: TimeoutKind, origin: string): string {
  switch (kind) {
    case 'connect_timeout':
      return `No connection to ${origin} stood in time.`;
    case 'first_byte_timeout':
      return `${origin} sent no first event in time.`;
    case 'idle_timeout':
      return `${origin} fell silent in the middle of its answer.`;
    case 'total_timeout':
      return `${origin} did not finish its answer in time.`;
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
