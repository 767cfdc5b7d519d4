import type {
  FailureKind,
  Transport,
  UpstreamCall,
  UpstreamHandler,
  UpstreamHeaders,
  UpstreamRequest,
} from '../../src/upstream/transport.ts';

/** One call that was sent, and what a test makes of it. Events come in the turn in which the test asks for them. */
export class ScriptedCall implements UpstreamCall {
  readonly request: UpstreamRequest;
  readonly #handler: UpstreamHandler;
  /** What the owner did to the call, in order. */
  readonly orders: string[] = [];
  isOver = false;

  constructor(request: UpstreamRequest, handler: UpstreamHandler) {
    this.request = request;
    this.#handler = handler;
  }

  /** The body that was sent, as JSON. */
  get json(): unknown {
    return JSON.parse(Buffer.from(this.request.body ?? '').toString());
  }

  pause(): void {
    this.orders.push('pause');
  }

  resume(): void {
    this.orders.push('resume');
  }

  firstEventSeen(): void {
    this.orders.push('first event');
  }

  abort(): void {
    if (this.isOver) return;
    this.orders.push('abort');
    this.fail('aborted');
  }

  sent(): this {
    if (!this.isOver) this.#handler.onSent();
    return this;
  }

  head(status = 200, headers: UpstreamHeaders = { 'content-type': 'application/json' }): this {
    if (!this.isOver) this.#handler.onHead(status, headers);
    return this;
  }

  data(chunk: string | Buffer): this {
    if (!this.isOver) this.#handler.onData(Buffer.from(chunk));
    return this;
  }

  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#handler.onEnd();
  }

  fail(kind: FailureKind, isSent = true): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#handler.onFailed({ kind, isSent, cause: new Error(`cause of ${kind} at http://upstream.internal`) });
  }

  /** A whole answer. */
  answer(body: unknown, status = 200, headers: UpstreamHeaders = {}): void {
    this.sent().head(status, { 'content-type': 'application/json', ...headers });
    this.data(typeof body === 'string' ? body : JSON.stringify(body)).end();
  }

  /** The head of a stream. */
  stream(headers: UpstreamHeaders = {}): this {
    return this.sent().head(200, { 'content-type': 'text/event-stream', ...headers });
  }
}

/** A transport in memory: each call waits for the test to say what becomes of it. */
export class ScriptedTransport implements Transport {
  readonly calls: ScriptedCall[] = [];
  /** What happens inside `send`, before it returns. */
  onSend: (call: ScriptedCall) => void = () => undefined;
  #waiting: (() => void)[] = [];

  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    const call = new ScriptedCall(request, handler);
    this.calls.push(call);
    this.onSend(call);
    for (const wake of this.#waiting.splice(0)) wake();
    return call;
  }

  /** The n-th call, from 1, as soon as it has been made. */
  async call(number = 1): Promise<ScriptedCall> {
    for (;;) {
      const call = this.calls[number - 1];
      if (call) return call;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
