import { type App, createApp } from '../../src/app.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import type { QueueView } from '../../src/setup/queue-view.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts';

/**
 * The books allow for 250 ms between a grant and its arrival. Two busy cores may stall a test for longer than that, so a few
 * refusals and some idle quota are no fault here; that there are none is shown in simulated time, where nothing stalls.
 */
export const FEW_REFUSALS = 2;
export const MOST = 0.8;

/** Upstream keys of the usual world, by their names in both configurations. */
export const KEYS = { bad: 'sk-up-bad-4f1c9a7e02', good: 'sk-up-good-8d3b6e5f11' };

/** What one call came to; `json` is null where the body is none. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

export interface ErrorFields {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

/** A whole Sluice over real sockets, with everything that it wrote. */
export interface Sluice extends AsyncDisposable {
  readonly app: App;
  readonly url: string;
  readonly log: string[];
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  chat(body?: object, options?: CallOptions): Promise<Answer>;
  queue(): Promise<QueueView>;
  /** Another configuration, laid over the usual sections as at the start. */
  reload(config: Readonly<Record<string, unknown>>): Promise<void>;
}

interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface SimulatorAt extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly url: string;
}

/** A simulated vendor, closed when it goes out of scope. */
export async function startSimulator(options: SimulatorOptions, random = (): number => 0.5): Promise<SimulatorAt> {
  const simulator = createSimulator(options, systemClock, random);
  const { url } = await simulator.listen();
  return { simulator, url, [Symbol.asyncDispose]: () => simulator.close() };
}

/** Sluice with a configuration laid over the usual sections; it is cut when it goes out of scope. */
export async function startSluice(config: Readonly<Record<string, unknown>>): Promise<Sluice> {
  const log: string[] = [];
  const logStream = { write: (line: string) => log.push(line) };
  const app = await createApp(configOf(config).config, { clock: systemClock, logStream, version: '0.0.0', env: {} });
  const { url } = await app.listen();
  return {
    app,
    url,
    log,
    get: (path, headers = {}) => call(`${url}${path}`, { headers }),
    chat: (body = {}, options = {}) => postChat(url, body, options),
    queue: async () => (await call(`${url}/queue`, {})).json as QueueView,
    reload: (next) => app.reload({ ...configOf(next), file: 'config.json', version: '0' }),
    [Symbol.asyncDispose]: () => app.closeNow(),
  };
}

function configOf(config: Readonly<Record<string, unknown>>) {
  const text = JSON.stringify({
    server: { port: 0 },
    log: { level: 'warn', format: 'json' },
    state: { file: 'none' },
    ...config,
  });
  const loaded = loadConfig({ text, format: 'json', env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(loaded.mistakes.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  return loaded;
}

/** A provider of the simulator's address. */
export function provider(url: string, keys: readonly unknown[], more: object = {}): object {
  return { name: 'sim', type: 'openai', base_url: `${url}/v1`, keys, ...more };
}

export const CHAT = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] };

function postChat(url: string, body: object, { headers = {}, signal }: CallOptions): Promise<Answer> {
  return call(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ ...CHAT, ...body }),
    ...(signal ? { signal } : {}),
  });
}

async function call(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The error of an answer, whole or in band; fails where there is none. */
export function errorOf({ text, json }: Answer): ErrorFields {
  const last = text.trimEnd().split('\n\n').at(-1) ?? '';
  const body = json ?? parsed(last.replace(/^data: /, ''));
  const { error } = (body ?? {}) as { readonly error?: ErrorFields };
  if (!error) throw new Error(`no error in: ${text.slice(0, 500)}`);
  return error;
}

/** All at once, each with its place. */
export function together<Result>(count: number, run: (index: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => run(index)));
}

/** Resolves after so many ms: for load over time and what is due by a clock, never to wait for something to have happened. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => systemClock.schedule(ms, resolve));
}

/** Resolves when `condition` holds. The test's own time limit ends what never comes. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await pause(5);
}
