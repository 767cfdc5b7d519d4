import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createRequestHandler } from '../../src/proxy/handle-request.ts';
import { createUndiciTransport } from '../../src/upstream/undici-transport.ts';
import { startServer } from '../http/support.ts';
import { apiError } from '../support/chat-answers.ts';
import { ProxyBench } from '../support/proxy-bench.ts';
import { answer, ScriptedUpstream } from '../support/scripted-upstream.ts';

const FLOOR = 10;
const SHARE = 0.2;
const CLIENTS = 30;

interface Manners {
  readonly name: string;
  /** Requests that one call of an application comes to when all of them fail. */
  readonly tries: number;
  /** Headers of the n-th try, from 0. */
  readonly headers: (count: number) => Readonly<Record<string, string>>;
}

const MANNERS: readonly Manners[] = [
  { name: 'LangChain, which tries 7 times and does not say so', tries: 7, headers: () => ({}) },
  {
    name: "OpenAI's SDK with retries whatever it is told, which counts them",
    tries: 3,
    headers: (count) => ({ 'x-stainless-retry-count': `${count}` }),
  },
];

/** Sluice in front of an upstream that is up and answers everything with 500, over `keys` keys. */
async function deadWorld(keys: number) {
  const upstream = await ScriptedUpstream.listen((exchange) =>
    exchange.write(answer(JSON.stringify(apiError('boom')), {}, 500)),
  );
  const transport = createUndiciTransport({ clock: systemClock });
  const names = Array.from({ length: keys }, (_, index) => `key-${index}`);
  // A client that may wait sits out the rests of the circuits; here it is to come back as often as it can.
  const bench = new ProxyBench({
    clock: systemClock,
    transport,
    targets: [{ origin: upstream.origin, keys: names, rpm: 10_000 }],
    maxWaitMs: 200,
  });
  const { port } = await startServer({ chat: createRequestHandler(bench.services) });
  onTestFinished(async () => {
    bench.scheduler.stop();
    await transport.close();
    await upstream.close();
  });
  return { bench, upstream, url: `http://127.0.0.1:${port}/v1/chat/completions` };
}

/** All tries of one call, one after the other, and the status that each was answered with. */
async function callOf(url: string, seed: number, { tries, headers }: Manners): Promise<number[]> {
  const statuses: number[] = [];
  for (let count = 0; count < tries; count += 1) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers(count) },
      body: JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'Hello' }], seed }),
    });
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  return statuses;
}

test.each(MANNERS)('a dead upstream is not sent more because of clients like $name', async (manners) => {
  // So many keys that their circuits alone would let hundreds through.
  const { bench, upstream, url } = await deadWorld(100);
  const calls = Array.from({ length: CLIENTS }, (_, seed) => callOf(url, seed, manners));
  const statuses = (await Promise.all(calls)).flat();
  const requests = CLIENTS * manners.tries;
  const sends = upstream.exchanges.length;
  expect(statuses.length).toBe(requests);
  expect(statuses.filter((status) => ![429, 502, 503].includes(status))).toEqual([]);
  expect(sends).toBeLessThanOrEqual((1 + SHARE) * requests + FLOOR);
  // Of the repeats of clients none was repeated by us: those that are new have had the budget nearly to themselves. What is
  // under way counts as new until it has failed.
  const repeated = bench.summaries.reduce((total, { attempts }) => total + Math.max(0, attempts - 1), 0);
  expect(repeated).toBeLessThanOrEqual(SHARE * 2 * CLIENTS + FLOOR);
  expect(repeated).toBeGreaterThan(0);
  expect(bench.summaries.length).toBe(requests);
  expect(bench.summaries.reduce((total, { attempts }) => total + attempts, 0)).toBe(sends);
  expect(bench.scheduler).toMatchObject({ openLeases: 0, waiting: 0 });
  const booked = bench.routes.reduce((total, _, key) => total + bench.booked(key), 0);
  expect(Math.round(booked)).toBe(sends);
});

test.each(MANNERS)('with one key the circuit spares it nearly all of that from clients like $name', async (manners) => {
  const { bench, upstream, url } = await deadWorld(1);
  const calls = Array.from({ length: CLIENTS }, (_, seed) => callOf(url, seed, manners));
  const statuses = (await Promise.all(calls)).flat();
  expect(statuses.filter((status) => ![429, 502, 503].includes(status))).toEqual([]);
  expect(upstream.exchanges.length).toBeLessThanOrEqual(CLIENTS + SHARE * CLIENTS + FLOOR);
  expect(bench.scheduler).toMatchObject({ openLeases: 0, waiting: 0 });
});
