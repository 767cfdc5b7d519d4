import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a process has used since it began. */
export interface Usage {
  /** Processor time of all its threads, in the kernel and outside, in microseconds. */
  readonly cpuMicros: number;
  readonly residentBytes: number;
}

/** What a process holds now. */
export interface Vitals {
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  /** What the heap has taken from the system, used or not: the young objects' space and pages in pieces among it. */
  readonly heapTotalBytes: number;
  /** Outside the heap, held by objects on it; buffers are a part. */
  readonly externalBytes: number;
  readonly bufferBytes: number;
  /** How many of each kind keep it busy: sockets, timers, requests to the system. */
  readonly resources: Readonly<Record<string, number>>;
  /** Open file descriptors; 0 where the system does not tell. */
  readonly handles: number;
}

/** Answers for the process it is loaded into. Part of the command line, so that nothing has to be built into a program. */
const REPORTER = `data:text/javascript,${encodeURIComponent(`
  import { readdirSync } from 'node:fs';
  const handles = () => {
    try { return readdirSync('/proc/self/fd').length; } catch { return 0; }
  };
  const vitals = () => {
    globalThis.gc?.();
    const resources = {};
    for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
    const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
    const memory = { residentBytes: rss, heapTotalBytes: heapTotal, heapUsedBytes: heapUsed };
    return { ...memory, externalBytes: external, bufferBytes: arrayBuffers, resources, handles: handles() };
  };
  process.on('message', (message) => {
    if (message === 'vitals') process.send({ vitals: vitals() });
    if (message !== 'usage') return;
    const { user, system } = process.cpuUsage();
    process.send({ usage: { cpuMicros: user + system, residentBytes: process.memoryUsage.rss() } });
  });
`)}`;

const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 5_000;

type Main = { readonly file: string } | { readonly source: string };

/** How a Node begins. */
export interface Start {
  readonly nodeOptions?: readonly string[];
  /** Beside the variables of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A process that is measured, or that measures. */
export class Program {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Runs a file, or the source text of a module, with this Node; what it prints is thrown away, but not its errors. */
  static node(main: Main, args: readonly string[], { nodeOptions = [], env = {} }: Start = {}): Program {
    const entry = 'file' in main ? [main.file] : ['--input-type=module', '-e', main.source, '--'];
    const child = spawn(process.execPath, ['--import', REPORTER, ...nodeOptions, ...entry, ...args], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, ...env },
    });
    return new Program(child);
  }

  /** Runs something that is not Node. */
  static foreign(command: string, args: readonly string[]): Program {
    return new Program(spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] }));
  }

  /** The first message for which `read` finds something. */
  async told<T>(read: (message: unknown) => T | undefined): Promise<T> {
    for (;;) {
      const [message] = (await once(this.#child, 'message')) as [unknown];
      const found = read(message);
      if (found !== undefined) return found;
    }
  }

  tell(message: object | string): void {
    this.#child.send(message);
  }

  async usage(): Promise<Usage> {
    if (!this.#child.connected) return this.#usageBySystem();
    const answer = this.told((message) => (message as { usage?: Usage }).usage);
    this.tell('usage');
    return answer;
  }

  /** Of a program in Node; memory is collected before where it runs with `--expose-gc`. */
  vitals(): Promise<Vitals> {
    const answer = this.told((message) => (message as { vitals?: Vitals }).vitals);
    this.tell('vitals');
    return answer;
  }

  /** How it ended, when it has. */
  async ended(): Promise<string> {
    const [code, signal] = (await once(this.#child, 'exit')) as [number | null, string | null];
    return signal ?? `exit code ${code}`;
  }

  /** Politely first: a profile is written at an orderly end only. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const cut = setTimeout(() => this.#child.kill('SIGKILL'), STOP_LIMIT_MS);
    await ended;
    clearTimeout(cut);
  }

  /** From the kernel's books: nanoseconds on a processor, pages of 4 KiB. */
  #usageBySystem(): Usage {
    const schedule = readFileSync(`/proc/${this.#child.pid}/schedstat`, 'utf8');
    const memory = readFileSync(`/proc/${this.#child.pid}/statm`, 'utf8');
    return { cpuMicros: Number(schedule.split(' ')[0]) / 1000, residentBytes: Number(memory.split(' ')[1]) * 4096 };
  }
}

/** A port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
}

/** Returns when something answers HTTP there, with any status. */
export async function untilAnswering(url: string): Promise<void> {
  const end = performance.now() + START_LIMIT_MS;
  for (;;) {
    const answer = await fetch(url).catch(() => null);
    await answer?.arrayBuffer();
    if (answer) return;
    if (performance.now() > end) throw new Error(`nothing answers at ${url}`);
    await sleep(50);
  }
}
