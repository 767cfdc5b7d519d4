/**
 * The load of a soak, in a process of its own: whole answers at a steady pace, and a number of streams that is kept up.
 * Nothing of it repeats: prompts, request ids and names are new each time, so whatever is kept by one of them grows.
 * One stream in twenty is left in its middle, one whole request in a hundred is left at once or is none that can be served.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, Pool } from 'undici';
import { seeded } from '../test/tokens/texts.ts';
import { requestMaker } from './support/prompts.ts';
import type { SoakJob, SoakReport } from './support/soak/load-job.ts';
import { quantile } from './support/statistics.ts';

const CHAT = '/v1/chat/completions';
const SEPARATOR = Buffer.from('\n\n');
const LEFT_STREAMS = 0.05;
const ODD = 0.01;
/** Whole requests under way at the same time: a machine that falls behind is asked for less, and not for ever more. */
const MOST_AT_ONCE = 256;
/** Streams are opened so many a second at first, not all at once. */
const OPENING_PER_SECOND = 100;

interface Call {
  readonly body: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Leaves after so many pieces of the answer; 0: as soon as it is sent. */
  readonly leavesAfter?: number;
  readonly seen?: (piece: Buffer) => void;
}

class SoakLoad {
  readonly #job: SoakJob;
  readonly #pool: Pool;
  readonly #random = seeded(11);
  readonly #makeWhole: () => string;
  readonly #makeStream: () => string;
  readonly #underWay = new Set<Dispatcher.DispatchController>();
  #isStopping = false;
  #sent = 0;
  #openStreams = 0;
  #openWhole = 0;
  #latencies: number[] = [];
  #failures = new Map<string, number>();
  #counts = { whole: 0, streamsEnded: 0, events: 0, aborted: 0, refused: 0 };
  #since = performance.now();

  constructor(job: SoakJob) {
    this.#job = job;
    this.#pool = new Pool(job.origin, { connections: null, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
    this.#makeWhole = requestMaker(job.promptBytes, { isStreaming: false });
    this.#makeStream = requestMaker(job.promptBytes, { isStreaming: true });
    void this.#runWhole();
    void this.#runStreams();
  }

  take(): SoakReport {
    const report = {
      seconds: (performance.now() - this.#since) / 1000,
      ...this.#counts,
      failures: Object.fromEntries(this.#failures),
      openStreams: this.#openStreams,
      p50Ms: quantile(this.#latencies, 0.5),
      p99Ms: quantile(this.#latencies, 0.99),
    };
    this.#latencies = [];
    this.#failures = new Map();
    this.#counts = { whole: 0, streamsEnded: 0, events: 0, aborted: 0, refused: 0 };
    this.#since = performance.now();
    return report;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const controller of this.#underWay) controller.abort(new Error('the soak is over'));
    await this.#pool.destroy();
  }

  /** At the instants of a Poisson process, whatever comes of the earlier ones, as long as they are not too many. */
  async #runWhole(): Promise<void> {
    const { perSecond } = this.#job;
    if (perSecond <= 0) return;
    for (let at = performance.now(); !this.#isStopping; at += (-Math.log(1 - this.#random()) * 1000) / perSecond) {
      const waitMs = at - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      else if (this.#openWhole >= MOST_AT_ONCE) {
        await sleep(10);
        at = performance.now();
        continue;
      }
      this.#openWhole++;
      void (this.#random() < ODD ? this.#sendOdd() : this.#sendWhole()).finally(() => this.#openWhole--);
    }
  }

  async #runStreams(): Promise<void> {
    for (let started = 0; started < this.#job.streams && !this.#isStopping; started++) {
      void this.#keepStreaming();
      await sleep(1000 / OPENING_PER_SECOND);
    }
  }

  async #keepStreaming(): Promise<void> {
    while (!this.#isStopping) {
      this.#openStreams++;
      const isLeft = this.#random() < LEFT_STREAMS;
      const status = await this.#send({
        body: this.#makeStream(),
        ...(isLeft ? { leavesAfter: 1 + Math.floor(10 * this.#random()) } : {}),
        seen: (piece) => this.#countEvents(piece),
      });
      this.#openStreams--;
      if (this.#isStopping) return;
      if (status === 200) this.#counts.streamsEnded++;
      else if (isLeft) this.#counts.aborted++;
      else {
        this.#fail(status);
        await sleep(100);
      }
    }
  }

  async #sendWhole(): Promise<void> {
    const startedAt = performance.now();
    const status = await this.#send({ body: this.#makeWhole() });
    if (this.#isStopping) return;
    if (status !== 200) {
      this.#fail(status);
      return;
    }
    this.#counts.whole++;
    this.#latencies.push(performance.now() - startedAt);
  }

  /** What a server sees of the world beside good requests, each with a text of its own. */
  async #sendOdd(): Promise<void> {
    const name = `odd-${this.#sent}-${Math.floor(1e9 * this.#random())}`;
    const body = this.#makeWhole();
    const odd: readonly { call: Call; status: number | null }[] = [
      { call: { body, leavesAfter: 0 }, status: null },
      { call: { body: body.replace('"gpt-4o"', `"${name}"`) }, status: 404 },
      { call: { body: `{"model":"gpt-4o","${name}":` }, status: 400 },
      { call: { body, headers: { authorization: `Bearer ${name}` } }, status: 401 },
      { call: { body, path: `/v1/${name}` }, status: 404 },
    ];
    const { call, status } = odd[Math.floor(odd.length * this.#random())] ?? { call: { body }, status: 200 };
    const seen = await this.#send(call);
    if (this.#isStopping) return;
    if (seen !== status) this.#fail(seen);
    else if (status === null) this.#counts.aborted++;
    else this.#counts.refused++;
  }

  #fail(status: number | null): void {
    this.#failures.set(String(status), (this.#failures.get(String(status)) ?? 0) + 1);
  }

  #countEvents(piece: Buffer): void {
    for (let at = piece.indexOf(SEPARATOR); at >= 0; at = piece.indexOf(SEPARATOR, at + 2)) this.#counts.events++;
  }

  /** The status; null where the connection failed, or was left on purpose. */
  #send({
    body,
    path = CHAT,
    headers = {},
    leavesAfter = Number.POSITIVE_INFINITY,
    seen,
  }: Call): Promise<number | null> {
    this.#sent++;
    const all = {
      'content-type': 'application/json',
      authorization: `Bearer ${this.#job.key}`,
      'x-request-id': `soak-${this.#sent}`,
      ...headers,
    };
    return new Promise((resolve) => {
      let status = 0;
      let pieces = 0;
      const leave = (controller: Dispatcher.DispatchController): void => controller.abort(new Error('has seen enough'));
      const handler: Dispatcher.DispatchHandler = {
        onRequestStart: (controller) => {
          this.#underWay.add(controller);
          if (leavesAfter === 0) setTimeout(() => leave(controller), 100 * this.#random());
        },
        onResponseStart: (_controller, code) => {
          status = code;
        },
        onResponseData: (controller, piece) => {
          seen?.(piece);
          pieces++;
          if (pieces > leavesAfter) leave(controller);
        },
        onResponseEnd: (controller) => {
          this.#underWay.delete(controller);
          // It may have been too quick to be left.
          resolve(leavesAfter === 0 ? null : status);
        },
        onResponseError: (controller) => {
          if (controller) this.#underWay.delete(controller);
          resolve(null);
        },
      };
      this.#pool.dispatch({ method: 'POST', path, headers: all, body }, handler);
    });
  }
}

let load: SoakLoad | null = null;

async function obey(command: { readonly do: string } & Partial<SoakJob>): Promise<unknown> {
  if (command.do === 'begin') load = new SoakLoad(command as SoakJob & { readonly do: string });
  if (command.do === 'take') return load?.take();
  if (command.do === 'stop') await load?.stop();
  return {};
}

process.on('message', (message: ({ readonly do: string } & Partial<SoakJob>) | string) => {
  if (typeof message === 'string') return;
  void obey(message).then((result) => process.send?.({ result }));
});
process.send?.({ port: 0 });
