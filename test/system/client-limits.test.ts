import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Answer, errorOf, KEYS, provider, type Sluice, startSimulator, startSluice, together } from './world.ts';

const CLIENTS = { patient: 'sk-client-patient-11', hasty: 'sk-client-hasty-22', hashed: 'sk-client-hashed-33' };
type ClientName = keyof typeof CLIENTS;

/** Each may ask once a second, after three at once. */
const LIMITS = { rpm: { limit: 60, burst: 0.05 } };

async function startWorld() {
  const vendor = await startSimulator({ organizations: [{ keys: [{ name: 'good', key: KEYS.good }] }] });
  const sluice = await startSluice({
    providers: [provider(vendor.url, [{ name: 'good', key: KEYS.good }])],
    models: ['gpt-4o', 'gpt-4o-mini'].map((name) => ({ name, targets: [{ provider: 'sim', model: name }] })),
    clients: [
      { name: 'patient', key: CLIENTS.patient, limits: LIMITS, on_limit: 'wait' },
      { name: 'hasty', key: CLIENTS.hasty, limits: LIMITS, on_limit: 'reject' },
      {
        name: 'hashed',
        key: `sha256:${createHash('sha256').update(CLIENTS.hashed).digest('hex')}`,
        models: ['gpt-4o-mini'],
      },
    ],
  });
  return {
    vendor,
    sluice,
    [Symbol.asyncDispose]: async () => {
      await sluice[Symbol.asyncDispose]();
      await vendor[Symbol.asyncDispose]();
    },
  };
}

function as(name: ClientName): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${CLIENTS[name]}` };
}

function chats(sluice: Sluice, name: ClientName, count: number): Promise<Answer[]> {
  return together(count, (index) =>
    sluice.chat({ messages: [{ role: 'user', content: `Hello ${index}` }] }, { headers: as(name) }),
  );
}

describe('a client with limits of its own', () => {
  test('waits for them where it chose to', async () => {
    await using world = await startWorld();
    const answers = await chats(world.sluice, 'patient', 5);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(Math.max(...answers.map(({ headers }) => Number(headers.get('x-sluice-queue-ms'))))).toBeGreaterThan(500);
    expect(world.vendor.simulator.ledger().admitted).toBe(5);
  });

  test('is told at once where it chose that, and what it may do then', async () => {
    await using world = await startWorld();
    const answers = await chats(world.sluice, 'hasty', 5);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(2);
    for (const answer of refused) {
      expect(errorOf(answer)).toMatchObject({ type: 'rate_limit_error', code: 'client_rate_limit_exceeded' });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(Number(answer.headers.get('retry-after-ms'))).toBeGreaterThan(0);
    }
    expect(world.vendor.simulator.ledger().admitted).toBe(3);
  });

  test('does not keep others waiting', async () => {
    await using world = await startWorld();
    const slow = chats(world.sluice, 'patient', 6);
    const [quick] = await chats(world.sluice, 'hasty', 1);
    expect(quick?.status).toBe(200);
    expect(Number(quick?.headers.get('x-sluice-queue-ms'))).toBeLessThan(500);
    await slow;
  });
});

describe('a client whose key is stored as a hash', () => {
  test('is known by its key, and not by the hash', async () => {
    await using world = await startWorld();
    const body = { model: 'gpt-4o-mini' };
    expect((await world.sluice.chat(body, { headers: as('hashed') })).status).toBe(200);
    const hash = createHash('sha256').update(CLIENTS.hashed).digest('hex');
    for (const wrong of [hash, `sha256:${hash}`, `${CLIENTS.hashed} `.repeat(2), CLIENTS.hashed.toUpperCase(), '']) {
      const answer = await world.sluice.chat(body, { headers: { authorization: `Bearer ${wrong}` } });
      expect(errorOf(answer)).toMatchObject({ type: 'authentication_error', code: 'invalid_api_key' });
      expect(answer.status).toBe(401);
    }
  });

  test('may use its models and sees no others', async () => {
    await using world = await startWorld();
    const answer = await world.sluice.chat({ model: 'gpt-4o' }, { headers: as('hashed') });
    expect(answer.status).toBe(403);
    expect(errorOf(answer).code).toBe('model_not_allowed');
    const models = await world.sluice.get('/v1/models', as('hashed'));
    expect(models.json).toMatchObject({ data: [{ id: 'gpt-4o-mini' }] });
    expect((await world.sluice.get('/v1/models/gpt-4o', as('hashed'))).status).toBe(404);
    const queue = await world.sluice.get('/queue', as('hashed'));
    expect(queue.text).not.toMatch(/gpt-4o(?!-mini)/);
    expect(world.vendor.simulator.ledger().received).toBe(0);
  });
});
