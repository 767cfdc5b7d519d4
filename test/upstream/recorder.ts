import type {
  UpstreamFailure,
  UpstreamHandler,
  UpstreamHeaders,
  UpstreamRequest,
  UpstreamTimeouts,
} from '../../src/upstream/transport.ts';

/** Longer than any test: only the timeout under test is shortened. */
const TIMEOUTS: UpstreamTimeouts = { connectMs: 1e6, firstByteMs: 1e6, idleMs: 1e6, totalMs: 1e7 };

export function post(origin: string, changes: Partial<UpstreamRequest> = {}): UpstreamRequest {
  const headers = { 'content-type': 'application/json', 'accept-encoding': 'identity' };
  const request = { method: 'POST', origin, path: '/v1/chat/completions', headers, body: Buffer.from('{}') } as const;
  return { ...request, timeouts: TIMEOUTS, ...changes };
}

export function timeouts(changes: Partial<UpstreamTimeouts>): { timeouts: UpstreamTimeouts } {
  return { timeouts: { ...TIMEOUTS, ...changes } };
}

/** Writes down what a call reports, in order, and lets a test wait for it. */
export class Recorder implements UpstreamHandler {
  readonly log: string[] = [];
  readonly heads: { status: number; headers: UpstreamHeaders }[] = [];
  readonly chunks: Buffer[] = [];
  failure: UpstreamFailure | null = null;
  onEach: (entry: string) => void = () => undefined;
  #waiting: (() => void)[] = [];

  onSent(): void {
    this.#note('sent');
  }

  onHead(status: number, headers: UpstreamHeaders): void {
    this.heads.push({ status, headers });
    this.#note(`head ${status}`);
  }

  onData(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.#note('data');
  }

  onEnd(): void {
    this.#note('end');
  }

  onFailed(failure: UpstreamFailure): void {
    this.failure = failure;
    this.#note(`failed ${failure.kind} ${failure.isSent ? 'sent' : 'unsent'}`);
  }

  get body(): string {
    return Buffer.concat(this.chunks).toString();
  }

  /** The log with repeated entries told once. */
  get story(): string[] {
    return this.log.filter((entry, index) => entry !== this.log[index - 1]);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Waits for an entry. */
  has(entry: string): Promise<void> {
    return this.until(() => this.log.includes(entry));
  }

  over(): Promise<void> {
    return this.until(() => this.log.some((entry) => entry === 'end' || entry.startsWith('failed')));
  }

  #note(entry: string): void {
    this.log.push(entry);
    this.onEach(entry);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

/** Lets everything run that is already under way: a few turns of the event loop. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
