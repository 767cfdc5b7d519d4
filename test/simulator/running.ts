import { afterEach } from 'vitest';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts';

const running: Simulator[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((simulator) => simulator.close()));
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  json(): Json;
}

export interface Json {
  readonly [name: string]: Json;
  readonly [index: number]: Json;
}

export interface Running {
  readonly simulator: Simulator;
  readonly url: string;
  chat(body?: object, key?: string): Promise<Answer>;
  /** With the key wherever some vendor looks for it. */
  call(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  get(path: string, key?: string): Promise<Answer>;
  post(path: string, body: unknown): Promise<Answer>;
}

/** Half of everything that is drawn. */
export const HALF = (): number => 0.5;

const ANY_KEY_HEADER = {
  authorization: 'Bearer sk-sim-1',
  'x-api-key': 'sk-sim-1',
  'x-goog-api-key': 'sk-sim-1',
  'api-key': 'sk-sim-1',
  'anthropic-version': '2023-06-01',
};

/** One key without limits, unless told otherwise; closed after the test. */
export async function start(options: Partial<SimulatorOptions> = {}, clock: Clock = systemClock): Promise<Running> {
  const simulator = createSimulator({ organizations: [{ keys: ['sk-sim-1'] }], ...options }, clock, HALF);
  running.push(simulator);
  const { url } = await simulator.listen();
  const ask = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as Json };
  };
  const authorization = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
  return {
    simulator,
    url,
    chat: (body = {}, key = 'sk-sim-1') =>
      ask('/v1/chat/completions', {
        method: 'POST',
        headers: authorization(key),
        body: JSON.stringify({ ...ASK, ...body }),
      }),
    call: (path, body, headers = {}) =>
      ask(path, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { ...ANY_KEY_HEADER, ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    get: (path, key = 'sk-sim-1') => ask(path, { headers: authorization(key) }),
    post: (path, body) => ask(path, { method: 'POST', body: JSON.stringify(body) }),
  };
}

/** The smallest request. Its prompt is 8 tokens: 3 around the message, the role, the word, and 3 to open the answer. */
export const ASK = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] };

/** The data of each event of a stream, `[DONE]` as text. */
export function eventsOf(text: string): Json[] {
  return text
    .split('\n\n')
    .filter((event) => event.startsWith('data: '))
    .map((event) => event.slice(6))
    .map((data) => (data === '[DONE]' ? (data as unknown as Json) : (JSON.parse(data) as Json)));
}
