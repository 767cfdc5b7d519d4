import { describe, expect, test } from 'vitest';
import { COMPLETION } from '../support/chat-answers.ts';
import { RawClient } from '../support/raw-client.ts';
import { answer, type Exchange, ScriptedUpstream } from '../support/scripted-upstream.ts';
import { CHAT, errorOf, provider, type Sluice, startSluice, together, until } from '../system/world.ts';

const ALICE = 'key-of-alice-0123456789';
const MALLORY = 'key-of-mallory-0123456789';
const UPSTREAM_KEY = 'sk-upstream-0123456789abcdef';

const LIMITS = { rpd: 100 };

interface World extends AsyncDisposable {
  readonly sluice: Sluice;
  readonly upstream: ScriptedUpstream;
  readonly port: number;
}

/** Two clients, one of whom means ill, before an upstream that takes any model. */
async function startWorld(
  script: (exchange: Exchange) => Promise<void> | void = (exchange) =>
    exchange.write(answer(JSON.stringify(COMPLETION))),
  settings: object = {},
): Promise<World> {
  const upstream = await ScriptedUpstream.listen(script);
  const sluice = await startSluice({
    log: { level: 'info', format: 'json' },
    clients: [
      { name: 'alice', key: ALICE },
      { name: 'mallory', key: MALLORY, models: ['gpt-4o', 'x*'] },
    ],
    providers: [
      provider(upstream.origin, [{ name: 'one', key: UPSTREAM_KEY }], {
        any_model: true,
        raw: true,
        limits: LIMITS,
        ...settings,
      }),
    ],
    models: [
      { name: 'gpt-4o', queue: { max_wait: '30s' }, targets: [{ provider: 'sim', model: 'gpt-4o' }] },
      { name: 'secret-model', targets: [{ provider: 'sim', model: 'secret-model' }] },
    ],
  });
  return {
    sluice,
    upstream,
    port: Number(new URL(sluice.url).port),
    [Symbol.asyncDispose]: async () => {
      await sluice.app.closeNow();
      await upstream.close();
    },
  };
}

function as(key: string): { readonly headers: Readonly<Record<string, string>> } {
  return { headers: { authorization: `Bearer ${key}` } };
}

/** And each request that went upstream is booked, once, whichever model it was for. */
async function expectNothingHeld({ sluice, upstream }: World): Promise<void> {
  const { app, log } = sluice;
  expect(app.openLeases).toBe(0);
  expect(app.heldBodyBytes).toBe(0);
  expect(log.join('')).not.toContain('unexpected failure');
  await expect.poll(() => bookedRequests(sluice), { timeout: 10_000 }).toBe(upstream.exchanges.length);
}

async function bookedRequests(sluice: Sluice): Promise<number> {
  const { json } = await sluice.get('/queue', as(ALICE).headers);
  const { quotas } = json as { quotas: { limits: { limit: string; capacity: number; level: number }[] }[] };
  const days = quotas.flatMap(({ limits }) => limits).filter(({ limit }) => limit === 'rpd');
  return days.reduce((sum, { capacity, level }) => sum + capacity - level, 0);
}

describe('somebody without a key', () => {
  test('reaches nothing but what says that the process lives', async () => {
    await using world = await startWorld();
    const { sluice, upstream } = world;
    for (const path of ['/queue', '/v1/models', '/v1/models/gpt-4o', '/sim/v1/files', '/v1/responses/resp_123456']) {
      expect((await sluice.get(path)).status, path).toBe(401);
    }
    for (const headers of [
      {},
      { authorization: 'Bearer ' },
      { authorization: 'Bearer undefined' },
      { authorization: `Basic ${btoa(`x:${ALICE}`)}` },
      { authorization: `Bearer ${ALICE} ` },
      { authorization: `Bearer ${ALICE.slice(0, -1)}` },
      { 'x-api-key': `${ALICE}\t${ALICE}` },
      { 'x-forwarded-for': '127.0.0.1', host: 'localhost' },
      { cookie: `authorization=Bearer ${ALICE}` },
    ]) {
      const { status } = await sluice.chat({}, { headers });
      // A blank behind a key is no part of it.
      expect([401, headers.authorization === `Bearer ${ALICE} ` ? 200 : 401], JSON.stringify(headers)).toContain(
        status,
      );
    }
    for (const path of ['/health', '/ready', '/']) {
      const { text } = await sluice.get(path);
      expect(text).not.toMatch(/secret-model|alice|sk-up/);
    }
    expect(upstream.exchanges.length).toBeLessThanOrEqual(1);
    await expectNothingHeld(world);
  });
});

describe('a client that means ill', () => {
  test('gets no model that is not its own, however it is written, and learns nothing of it', async () => {
    await using world = await startWorld();
    const { sluice, upstream } = world;
    for (const model of [
      'secret-model',
      'secret-model ',
      'SECRET-MODEL',
      'secret-model\u0000',
      'y',
      '../secret-model',
    ]) {
      const { status } = await sluice.chat({ model }, as(MALLORY));
      expect([400, 403, 404], model).toContain(status);
    }
    const raw = RawClient.post('/v1/chat/completions', CHAT, as(MALLORY).headers);
    const client = await RawClient.connect(world.port);
    const twice = raw.replace('"model":"gpt-4o"', '"model":"gpt-4o","mod\\u0065l":"secret-model"');
    await client.send(twice.replace(/content-length: \d+/, `content-length: ${twice.length - twice.indexOf('{')}`));
    expect(await client.until((text) => text.includes('"code"'))).toContain('invalid_json');
    client.close();
    const { text } = await sluice.get('/queue', as(MALLORY).headers);
    expect(text).not.toContain('secret-model');
    expect((await sluice.get('/v1/models', as(MALLORY).headers)).text).not.toContain('secret-model');
    expect(upstream.exchanges).toHaveLength(0);
    await expectNothingHeld(world);
  });

  test('writes nothing but fields into the log, and nothing into headers', async () => {
    await using world = await startWorld();
    const { sluice } = world;
    const evil = 'x\r\nset-cookie: evil=1\r\n\r\n{"level":"fatal"}\u001b[2J\u2028';
    const before = sluice.log.length;
    const { status, headers } = await sluice.chat({ model: evil, user: evil, [evil]: evil }, as(MALLORY));
    expect([200, 400, 404]).toContain(status);
    expect(headers.get('set-cookie')).toBeNull();
    for (const id of ['a b', 'x'.repeat(200), '"}{', '../../etc']) {
      const answered = await sluice.chat({}, { headers: { ...as(MALLORY).headers, 'x-request-id': id } });
      expect(answered.headers.get('x-request-id')).toMatch(/^req_/);
    }
    await until(() => sluice.log.length >= before + 5);
    for (const line of sluice.log) {
      expect(line.trimEnd()).not.toMatch(/[\r\n]/);
      expect(['info', 'warn']).toContain((JSON.parse(line) as { level: string }).level);
    }
    await expectNothingHeld(world);
  });

  test('sends the vendor none of its headers, path or query', async () => {
    await using world = await startWorld();
    const { sluice, upstream } = world;
    await sluice.chat(
      {},
      {
        headers: {
          ...as(MALLORY).headers,
          cookie: 'evil=1',
          'openai-organization': 'org-evil',
          'x-forwarded-for': '6.6.6.6',
          'x-evil': 'evil',
          te: 'trailers',
          'accept-encoding': 'br',
          'x-http-method-override': 'DELETE',
        },
      },
    );
    const [exchange] = upstream.exchanges;
    const sent = [...(exchange?.headers ?? [])];
    expect(JSON.stringify(sent)).not.toMatch(/evil|6\.6\.6\.6|mallory|trailers|DELETE/);
    expect(exchange?.headers.get('authorization')).toBe(`Bearer ${UPSTREAM_KEY}`);
    expect(exchange?.headers.get('accept-encoding')).toBe('identity');
    await expectNothingHeld(world);
  });

  test('leaves the vendor by no raw path', async () => {
    await using world = await startWorld();
    const { port, upstream } = world;
    const paths = [
      '/sim/../admin',
      '/sim/v1/../../admin',
      '/sim/v1/%2e%2e/admin',
      '/sim/v1/%2E%2E%2Fadmin',
      '/sim/v1/..%5cadmin',
      '/sim/v1/.%00./admin',
      '/sim/v1/%0d%0aHost:%20evil',
      '/sim//evil.example/v1',
      '/sim/http://evil.example/',
      '/sim/v1/x?key=evil&api_key=evil&access_token=evil&a=%0d%0aevil:1',
      '/sim/v1/%c0%ae%c0%ae/admin',
      '/sim/v1/%u002e%u002e/admin',
      '/sim/v1/;/../admin',
    ];
    for (const path of paths) {
      const client = await RawClient.connect(port);
      await client.send(
        `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ALICE}\r\nconnection: close\r\n\r\n`,
      );
      await client.rest();
      client.close();
    }
    for (const { target } of upstream.exchanges) {
      expect(target).toMatch(/^\/v1\//);
      expect(target).not.toMatch(/admin$|evil|\.\.|[\r\n\\]/);
    }
    await expectNothingHeld(world);
  });

  test('neither takes the place of another client in the queue nor cancels its request', async () => {
    const held: Exchange[] = [];
    await using world = await startWorld(async (exchange) => void held.push(exchange), {
      limits: { ...LIMITS, concurrency: 1 },
    });
    const { sluice, upstream } = world;
    const first = sluice.chat({ user: 'first' }, as(ALICE));
    await until(() => held.length === 1);
    const id = { 'x-request-id': 'the-same-id' };
    const waiting = sluice.chat({}, { headers: { ...as(ALICE).headers, ...id } });
    const leaving = new AbortController();
    const thief = sluice.chat({}, { headers: { ...as(MALLORY).headers, ...id }, signal: leaving.signal });
    await until(async () => {
      const { models } = (await sluice.get('/queue', as(ALICE).headers)).json as { models: { waiting: number }[] };
      return models.some(({ waiting: count }) => count === 1);
    });
    leaving.abort();
    await expect(thief).rejects.toThrow();
    await held[0]?.write(answer(JSON.stringify(COMPLETION)));
    expect((await first).status).toBe(200);
    await until(() => held.length === 2);
    await held[1]?.write(answer(JSON.stringify(COMPLETION)));
    expect((await waiting).status).toBe(200);
    expect(upstream.exchanges).toHaveLength(2);
    await expectNothingHeld(world);
  });

  test('may make up a thousand names of models, and keeps nobody from those that are configured', async () => {
    await using world = await startWorld();
    const { sluice } = world;
    const answers = await together(1_020, (nth) => sluice.chat({ model: `x-${nth}` }, as(MALLORY)));
    const refused = answers.filter(({ status }) => status !== 200);
    // Those of the configuration count among the thousand.
    expect(refused.map(({ status }) => status)).toEqual(Array(22).fill(404));
    const { status } = await sluice.chat({}, as(ALICE));
    expect(status).toBe(200);
    const { text } = await sluice.get('/queue', as(ALICE).headers);
    expect(text.includes('mallory')).toBe(false);
    await expectNothingHeld(world);
  });

  test('asks for a wait that is none', async () => {
    await using world = await startWorld();
    for (const wait of ['-1', '1e308', 'NaN', 'Infinity', '0', '99999999999999999999s', '']) {
      for (const name of ['x-sluice-max-wait', 'x-stainless-timeout']) {
        const got = await world.sluice.chat({}, { headers: { ...as(MALLORY).headers, [name]: wait } });
        expect([200, 400, 429], `${name}: ${wait}`).toContain(got.status);
        if (got.status !== 200) expect(errorOf(got).message).not.toMatch(/NaN|Infinity/);
      }
    }
    await expectNothingHeld(world);
  });
});
