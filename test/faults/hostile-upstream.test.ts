import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { COMPLETION, DONE, HELLO, ROLE, STOP } from '../support/chat-answers.ts';
import {
  answer,
  CHUNKED,
  chunk,
  type Exchange,
  head,
  type Script,
  ScriptedUpstream,
} from '../support/scripted-upstream.ts';
import { errorOf, provider, type Sluice, startSluice } from '../system/world.ts';

const MIB = 1024 * 1024;
const OK = JSON.stringify(COMPLETION);

interface HostileWorld extends AsyncDisposable {
  readonly sluice: Sluice;
  readonly upstream: ScriptedUpstream;
}

/** Sluice before an upstream that wishes it ill. */
async function hostileWorld(script: Script, settings: object = {}): Promise<HostileWorld> {
  const upstream = await ScriptedUpstream.listen(script);
  onTestFinished(() => upstream.close());
  const sluice = await startSluice({
    providers: [
      provider(upstream.origin, [{ name: 'one', key: 'sk-one-0123456789' }], {
        raw: true,
        limits: { rpd: 100 },
        ...settings,
      }),
    ],
    models: [{ name: 'gpt-4o', queue: { max_wait: '2s' }, targets: [{ provider: 'sim', model: 'gpt-4o' }] }],
    defaults: { retry: { attempts: 1 } },
  });
  return { sluice, upstream, [Symbol.asyncDispose]: () => sluice.app.closeNow() };
}

/** And each request that went upstream is booked, once. What raw paths draw on is not shown with the models. */
async function expectNothingHeld({ sluice, upstream }: HostileWorld, isRaw = false): Promise<void> {
  const { app, log } = sluice;
  expect(app.openLeases).toBe(0);
  expect(app.heldBodyBytes).toBe(0);
  expect(log.join('')).not.toContain('unexpected failure');
  await expect.poll(() => bookedRequests(sluice), { timeout: 10_000 }).toBe(isRaw ? 0 : upstream.exchanges.length);
}

async function bookedRequests(sluice: Sluice): Promise<number> {
  const { quotas } = await sluice.queue();
  const days = quotas.flatMap(({ limits }) => limits).filter(({ limit }) => limit === 'rpd');
  return days.reduce((sum, { capacity, level }) => sum + capacity - level, 0);
}

/** What the process grew by while this ran, at its highest. */
async function growthOf(run: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().rss;
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 5);
  await run();
  clearInterval(timer);
  return Math.max(most, process.memoryUsage().rss) - before;
}

describe('an answer that unpacks to half a gigabyte', () => {
  const zeros = Buffer.alloc(512 * MIB, 'x');
  const bombs = { gzip: gzipSync(zeros), br: brotliCompressSync(zeros.subarray(0, 128 * MIB)) } as const;

  test.each(['gzip', 'br'] as const)('as a stream is an error, in little memory: %s', async (coding) => {
    const headers = { 'content-type': 'text/event-stream', 'content-encoding': coding };
    await using world = await hostileWorld((exchange) => exchange.write(answer(bombs[coding], headers)));
    let got: Awaited<ReturnType<Sluice['chat']>> | undefined;
    const bytes = await growthOf(async () => {
      got = await world.sluice.chat({ stream: true });
    });
    expect(got?.status).toBe(502);
    expect(bytes).toBeLessThan(150 * MIB);
    await expectNothingHeld(world);
  });

  test('as an error is read no further than errors are', async () => {
    await using world = await hostileWorld((exchange) =>
      exchange.write(answer(bombs.gzip, { 'content-encoding': 'gzip' }, 500)),
    );
    let got: Awaited<ReturnType<Sluice['chat']>> | undefined;
    const bytes = await growthOf(async () => {
      got = await world.sluice.chat();
    });
    expect(got?.status).toBe(502);
    expect(bytes).toBeLessThan(100 * MIB);
    await expectNothingHeld(world);
  });

  test.each(['/v1/chat/completions', '/sim/v1/anything'])(
    'whole is held up to a limit, then goes at the pace at which the client reads: %s',
    async (path) => {
      await using world = await hostileWorld((exchange) =>
        exchange.write(answer(bombs.gzip, { 'content-encoding': 'gzip' })),
      );
      const bytes = await growthOf(async () => {
        const response = await fetch(`${world.sluice.url}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] }),
        });
        expect(response.status).toBe(200);
        // Reads a little and leaves.
        const reader = response.body?.getReader();
        await reader?.read();
        await new Promise((resolve) => setTimeout(resolve, 300));
        await reader?.cancel();
      });
      expect(bytes).toBeLessThan(150 * MIB);
      await expect.poll(() => world.sluice.app.openLeases, { timeout: 20_000 }).toBe(0);
      await expectNothingHeld(world, path.startsWith('/sim/'));
    },
  );
});

describe('an answer in chunks of a byte', () => {
  const pieces = '1\r\nx\r\n'.repeat(10_000);

  async function trickle(exchange: Exchange, first: string): Promise<void> {
    await exchange.write(first);
    for (let sent = 0; sent < 60; sent += 1) await exchange.write(pieces);
    exchange.reset();
  }

  test.each([
    ['of one event', { stream: true }, `${head(CHUNKED)}${chunk('data: ')}`],
    ['of one document', {}, head({ ...CHUNKED, 'content-type': 'application/json' })],
  ])('%s takes little more memory than its bytes', async (_what, body, first) => {
    await using world = await hostileWorld((exchange) => trickle(exchange, first));
    let got: Awaited<ReturnType<Sluice['chat']>> | undefined;
    const bytes = await growthOf(async () => {
      got = await world.sluice.chat(body);
    });
    expect(got?.status).toBe(502);
    expect(bytes).toBeLessThan(100 * MIB);
    await expectNothingHeld(world);
  });
});

describe('a head that is out of its mind', () => {
  const ODD = [
    '1e308',
    'NaN',
    'Infinity',
    '-1',
    '-0',
    '0',
    '99999999999999999999999',
    '0x10',
    '1,000',
    '',
    ' ',
    '1.5',
    '٣',
  ];
  const NAMES = [
    'limit-requests',
    'remaining-requests',
    'reset-requests',
    'limit-tokens',
    'remaining-tokens',
    'reset-tokens',
  ];

  test('about limits is taken for silence, or for less, and never for a number that is none', async () => {
    let nth = 0;
    const script = (exchange: Exchange): Promise<void> => {
      const headers: Record<string, string> = { date: ODD[nth % ODD.length] ?? '' };
      for (const [place, name] of NAMES.entries()) {
        headers[`x-ratelimit-${name}`] = Buffer.from(ODD[(nth + place * 3) % ODD.length] ?? '').toString('latin1');
      }
      nth += 1;
      return exchange.write(answer(OK, headers));
    };
    await using world = await hostileWorld(script, { limits: { rpd: 100, rpm: 600, tpm: 100_000 } });
    for (let count = 0; count < ODD.length * 2; count += 1) {
      const { status } = await world.sluice.chat({ user: String(count) });
      expect([200, 429]).toContain(status);
      for (const limit of (await world.sluice.queue()).quotas.flatMap(({ limits }) => limits)) {
        expect(Number.isFinite(limit.level), JSON.stringify(limit)).toBe(true);
        expect(Number.isFinite(limit.capacity), JSON.stringify(limit)).toBe(true);
        expect(Number.isFinite(limit.resetMs), JSON.stringify(limit)).toBe(true);
        expect(limit.capacity, JSON.stringify(limit)).toBeGreaterThan(0);
      }
    }
    await expectNothingHeld(world);
  });

  test.each([
    { 'retry-after': '3153600000' },
    { 'retry-after': '1e400' },
    { 'retry-after': '-5' },
    { 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT', date: 'Thu, 01 Jan 1970 00:00:00 GMT' },
    { 'retry-after-ms': 'Infinity' },
    { 'retry-after-ms': '99999999999999999999' },
    { 'retry-after': '1', date: 'yesterday' },
  ])('about when to come back is never longer than a month, and never nonsense: %j', async (headers) => {
    await using world = await hostileWorld((exchange) =>
      exchange.write(answer(JSON.stringify({ error: { message: 'Slow down', type: 'requests' } }), headers, 429)),
    );
    const { status, json } = await world.sluice.chat();
    expect([429, 502, 503]).toContain(status);
    expect(JSON.stringify(json)).not.toMatch(/NaN|Infinity|null ?s/);
    const { routes } = await world.sluice.queue();
    for (const { untilMs } of routes) {
      expect(untilMs ?? 0).toBeGreaterThanOrEqual(0);
      expect(untilMs ?? 0).toBeLessThanOrEqual(31 * 86_400_000);
    }
    await expectNothingHeld(world);
  });

  test('with headers that would split ours is no answer, and nothing of it comes through', async () => {
    for (const bytes of [
      `HTTP/1.1 200 OK\r\nopenai-version: 1\rset-cookie: evil=1\r\ncontent-length: 2\r\n\r\n{}`,
      `HTTP/1.1 200 OK\r\nopenai-version: 1\u0000\r\ncontent-length: 2\r\n\r\n{}`,
      `HTTP/1.1 200 OK\r\ncontent-length: ${OK.length}\r\nopenai-version: 2020\r\nset-cookie: evil=1\r\nlocation: http://evil/\r\nx-request-id: evil\r\naccess-control-allow-origin: *\r\nx-sluice-key: evil\r\nretry-after: 9\r\n\r\n${OK}`,
      `HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: ${OK.length}\r\n\r\n${OK}`,
      `HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
      `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(50_000)}\r\n`,
      `HTTP/1.1 999 OK\r\ncontent-length: 2\r\n\r\n{}`,
      `HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n`,
    ]) {
      await using world = await hostileWorld((exchange) => exchange.end(bytes));
      const { headers, status } = await world.sluice.chat();
      expect([200, 502], bytes.slice(0, 80)).toContain(status);
      expect(JSON.stringify([...headers]), bytes.slice(0, 80)).not.toContain('evil');
      await expectNothingHeld(world);
    }
  });

  test('on a raw path brings along its kind and its length, and no more', async () => {
    await using world = await hostileWorld((exchange) =>
      exchange.end(
        'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\nset-cookie: evil=1\r\nx-request-id: evil\r\n' +
          'link: <http://evil>\r\nrefresh: 0;url=http://evil\r\naccess-control-allow-origin: *\r\n\r\nOK',
      ),
    );
    const { headers, text } = await world.sluice.get('/sim/v1/page');
    expect(text).toBe('OK');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(JSON.stringify([...headers])).not.toContain('evil');
    await expectNothingHeld(world, true);
  });
});

describe('a stream that is no stream', () => {
  test.each([
    ['two million empty events', '\n\n'.repeat(2_000_000)],
    ['events without data', 'id: 1\n\n'.repeat(500_000)],
    ['one endless comment', `: ${'x'.repeat(12 * MIB)}`],
    ['one event of many lines', `${'data: x\n'.repeat(1_500_000)}`],
    ['deep JSON', `data: ${'['.repeat(4 * MIB)}\n\n`],
    ['nothing but carriage returns', '\r'.repeat(4_000_000)],
  ])('%s ends, in little time and memory, with an error or an empty answer', async (_what, text) => {
    const bytes = Buffer.concat([Buffer.from(head(CHUNKED)), chunk(text), chunk('')]);
    await using world = await hostileWorld((exchange) => exchange.write(bytes));
    const growth = await growthOf(async () => {
      const got = await world.sluice.chat({ stream: true });
      if (got.status !== 200) expect(errorOf(got).code).toBe('upstream_error');
    });
    expect(growth).toBeLessThan(400 * MIB);
    await expectNothingHeld(world);
  });

  test('that goes on behind its end is not listened to', async () => {
    const script = async (exchange: Exchange): Promise<void> => {
      await exchange.write(Buffer.concat([Buffer.from(head(CHUNKED)), chunk(ROLE + HELLO + STOP + DONE)]));
      for (let count = 0; count < 200; count += 1) await exchange.write(chunk(HELLO));
    };
    await using world = await hostileWorld(script);
    const { status, text } = await world.sluice.chat({ stream: true });
    expect(status).toBe(200);
    expect(text.endsWith(DONE)).toBe(true);
    await expect.poll(() => world.sluice.app.openLeases, { timeout: 20_000 }).toBe(0);
    await expectNothingHeld(world);
  });
});
