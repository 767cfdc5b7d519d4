/**
 * Loads a server and says what it saw. It runs in a process of its own, so that its work is not counted as anybody
 * else's: `Generator` of `support/generator.ts` starts it and asks it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, Pool } from 'undici';
import { seeded } from '../test/tokens/texts.ts';
import type { ClientsJob, LoadReport, PacedJob, StreamsJob, Target } from './support/load-job.ts';
import { requestMaker } from './support/prompts.ts';
import { quantile } from './support/statistics.ts';

const PATH = '/v1/chat/completions';
const SEPARATOR = Buffer.from('\n\n');

type Ended = (status: number | null) => void;
type Seen = (piece: Buffer) => void;

class Load {
  readonly #pool: Pool;
  readonly #path: string;
  readonly #headers: Record<string, string>;
  readonly #controllers = new Set<Dispatcher.DispatchController>();

  constructor({ origin, key, prefix = '' }: Target) {
    this.#path = prefix + PATH;
    this.#pool = new Pool(origin, { connections: null, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
    this.#headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
  }

  send(body: string, ended: Ended, seen?: Seen): void {
    let status = 0;
    const controllers = this.#controllers;
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: (controller) => void controllers.add(controller),
      onResponseStart: (_controller, code) => {
        status = code;
      },
      onResponseData: (_controller, piece) => seen?.(piece),
      onResponseEnd: (controller) => {
        controllers.delete(controller);
        ended(status);
      },
      onResponseError: (controller) => {
        if (controller) controllers.delete(controller);
        ended(null);
      },
    };
    this.#pool.dispatch({ method: 'POST', path: this.#path, headers: this.#headers, body }, handler);
  }

  /** Ends what is under way and all connections: the next run begins with its own. */
  async cut(): Promise<void> {
    for (const controller of this.#controllers) controller.abort(new Error('measured enough'));
    await this.#pool.destroy();
  }
}

/** Latencies and failures of a run. */
class Tally {
  readonly #latencies: number[] = [];
  readonly #failures = new Map<string, number>();
  #underWay = 0;

  /** Notes a request that begins now; the result is to be called when it has ended. */
  begin(): Ended {
    const startedAt = performance.now();
    this.#underWay++;
    return (status) => {
      this.#underWay--;
      if (status === 200) this.#latencies.push(performance.now() - startedAt);
      else this.#failures.set(String(status), (this.#failures.get(String(status)) ?? 0) + 1);
    };
  }

  async report(): Promise<LoadReport> {
    while (this.#underWay > 0) await sleep(5);
    return {
      served: this.#latencies.length,
      failures: Object.fromEntries(this.#failures),
      p50Ms: quantile(this.#latencies, 0.5),
      p99Ms: quantile(this.#latencies, 0.99),
    };
  }
}

/** Requests at the instants of a Poisson process, whatever comes of the earlier ones. */
async function runPaced(load: Load, { perSecond, seconds, promptBytes }: PacedJob): Promise<LoadReport> {
  const tally = new Tally();
  const random = seeded(7);
  const make = requestMaker(promptBytes, { isStreaming: false });
  const end = performance.now() + seconds * 1000;
  for (let at = performance.now(); at < end; at += (-Math.log(1 - random()) * 1000) / perSecond) {
    const waitMs = at - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    load.send(make(), tally.begin());
  }
  return tally.report();
}

/** Clients that each send the next request when they have the last answer. */
async function runClients(load: Load, { clients, seconds, promptBytes }: ClientsJob): Promise<LoadReport> {
  const tally = new Tally();
  const make = requestMaker(promptBytes, { isStreaming: false });
  const end = performance.now() + seconds * 1000;
  const next = (): void => {
    const ended = tally.begin();
    load.send(make(), (status) => {
      ended(status);
      if (performance.now() < end) next();
    });
  };
  for (let started = 0; started < clients; started++) next();
  while (performance.now() < end) await sleep(20);
  return tally.report();
}

/** Streams that stay open. `events` counts what came on all of them. */
class Streams {
  events = 0;
  #begun = 0;
  failed = 0;

  async open(load: Load, { streams, promptBytes, perSecond }: StreamsJob): Promise<void> {
    const make = requestMaker(promptBytes, { isStreaming: true });
    for (let opened = 0; opened < streams; opened++) {
      let isBegun = false;
      const seen = (piece: Buffer): void => {
        if (!isBegun) this.#begun++;
        isBegun = true;
        for (let at = piece.indexOf(SEPARATOR); at >= 0; at = piece.indexOf(SEPARATOR, at + 2)) this.events++;
      };
      load.send(make(), () => void this.failed++, seen);
      if (opened % 10 === 9) await sleep(10_000 / perSecond);
    }
    while (this.#begun + this.failed < streams) await sleep(5);
  }
}

let load: Load | null = null;
let streams = new Streams();

type Command =
  | ({ readonly do: 'paced' } & Target & PacedJob)
  | ({ readonly do: 'clients' } & Target & ClientsJob)
  | ({ readonly do: 'open' } & Target & StreamsJob)
  | { readonly do: 'count' }
  | { readonly do: 'cut' };

async function obey(command: Command): Promise<unknown> {
  if (command.do === 'count') return { events: streams.events, failed: streams.failed };
  if (command.do === 'cut') {
    await load?.cut();
    return {};
  }
  await load?.cut();
  load = new Load(command);
  if (command.do === 'paced') return runPaced(load, command);
  if (command.do === 'clients') return runClients(load, command);
  streams = new Streams();
  await streams.open(load, command);
  return {};
}

process.on('message', (message: Command | string) => {
  if (typeof message === 'string') return;
  void obey(message).then((result) => process.send?.({ result }));
});
process.send?.({ port: 0 });
