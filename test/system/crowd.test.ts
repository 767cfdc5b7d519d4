import { Agent, request } from 'node:http';
import { expect, test } from 'vitest';
import { CHAT, KEYS, provider, startSimulator, startSluice, together } from './world.ts';

const CLIENTS = 1_000;
const REQUESTS_EACH = 3;

/** One request of a client that has a connection of its own. */
function chatOn(agent: Agent, url: string, body: object): Promise<number> {
  const bytes = JSON.stringify({ ...CHAT, ...body });
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(bytes) };
    const sent = request(`${url}/v1/chat/completions`, { agent, method: 'POST', headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', reject).end(bytes);
  });
}

test('a thousand clients at once on an upstream of 60 ms: each is answered, each time', async () => {
  const organizations = [{ keys: [{ name: 'good', key: KEYS.good }], limits: {} }];
  await using vendor = await startSimulator({ organizations, answer: { firstByteMs: 60 } });
  await using sluice = await startSluice({
    providers: [provider(vendor.url, [{ name: 'good', key: KEYS.good }])],
    defaults: { queue: { max_size: 10_000 } },
  });
  const statuses = await together(CLIENTS, async (client) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const seen: number[] = [];
    for (let nth = 0; nth < REQUESTS_EACH; nth += 1) {
      seen.push(await chatOn(agent, sluice.url, { stream: (client + nth) % 2 === 0 }));
    }
    agent.destroy();
    return seen;
  });
  expect(statuses.flat().filter((status) => status !== 200)).toEqual([]);
  expect(vendor.simulator.ledger().completed).toBe(CLIENTS * REQUESTS_EACH);
  expect(sluice.app.openLeases).toBe(0);
  expect(sluice.app.heldBodyBytes).toBe(0);
});
