import { expect, test } from 'vitest';
import { type Answer, errorOf, KEYS, provider, startSimulator, startSluice, together } from './world.ts';

const CLIENTS = { greedy: 'sk-client-greedy-11', modest: 'sk-client-modest-22', urgent: 'sk-client-urgent-33' };
type ClientName = keyof typeof CLIENTS;

/** One request at a time: who goes next is who comes out next. */
async function startWorld() {
  const vendor = await startSimulator({
    organizations: [{ keys: [{ name: 'good', key: KEYS.good }] }],
    answer: { firstByteMs: 10 },
  });
  const sluice = await startSluice({
    // How long a slot is held is a guess at first.
    defaults: { queue: { max_wait: '10m' } },
    providers: [provider(vendor.url, [{ name: 'good', key: KEYS.good }], { limits: { concurrency: 1 } })],
    clients: [
      { name: 'greedy', key: CLIENTS.greedy },
      { name: 'modest', key: CLIENTS.modest },
      { name: 'urgent', key: CLIENTS.urgent, priority: 'high' },
    ],
  });
  const order: string[] = [];
  const ask = async (client: ClientName, label: string, more: Readonly<Record<string, string>> = {}) => {
    const headers = { authorization: `Bearer ${CLIENTS[client]}`, ...more };
    const answer = await sluice.chat({ max_tokens: 5 }, { headers });
    order.push(label);
    return answer;
  };
  return {
    vendor,
    sluice,
    order,
    ask,
    [Symbol.asyncDispose]: async () => {
      await sluice[Symbol.asyncDispose]();
      await vendor[Symbol.asyncDispose]();
    },
  };
}

const statuses = (answers: readonly Answer[]) => new Set(answers.map(({ status }) => status));

test('a modest client has every other turn beside one that has forty requests waiting', async () => {
  await using world = await startWorld();
  const greedy = together(40, () => world.ask('greedy', 'greedy'));
  await greedyWaits(world, 35);
  const modest = await together(5, () => world.ask('modest', 'modest'));
  expect(statuses(modest)).toEqual(new Set([200]));
  // The five that are served already, ten turns, and what is on its way.
  expect(world.order.length).toBeLessThan(25);
  expect(statuses(await greedy)).toEqual(new Set([200]));
  expect(world.sluice.app.openLeases).toBe(0);
});

test('an urgent client passes a queue of others, and those of its own that say they can wait', async () => {
  await using world = await startWorld();
  const greedy = together(20, () => world.ask('greedy', 'greedy'));
  await greedyWaits(world, 15);
  const patient = together(3, () => world.ask('urgent', 'patient', { 'x-sluice-priority': 'low' }));
  const urgent = await together(3, () => world.ask('urgent', 'urgent'));
  expect(statuses(urgent)).toEqual(new Set([200]));
  expect(world.order.length).toBeLessThan(14);
  // A low class has its first turn when it comes, and then one in twenty-five.
  expect(world.order.filter((label) => label === 'patient').length).toBeLessThan(2);
  expect(statuses(await patient)).toEqual(new Set([200]));
  expect(statuses(await greedy)).toEqual(new Set([200]));
});

test('a priority that is none is a bad request, and costs nobody anything', async () => {
  await using world = await startWorld();
  const answer = await world.ask('modest', 'modest', { 'x-sluice-priority': 'now' });
  expect(answer.status).toBe(400);
  expect(errorOf(answer)).toMatchObject({ code: 'bad_request', message: expect.stringContaining('x-sluice-priority') });
  expect(world.sluice.app.openLeases).toBe(0);
});

async function greedyWaits({ sluice }: Awaited<ReturnType<typeof startWorld>>, count: number): Promise<void> {
  const headers = { authorization: `Bearer ${CLIENTS.greedy}` };
  for (;;) {
    const { json } = await sluice.get('/queue', headers);
    const { models } = json as { readonly models: readonly { readonly waiting: number }[] };
    if (models.some(({ waiting }) => waiting >= count)) return;
  }
}
