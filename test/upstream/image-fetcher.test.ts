import { readFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createImageFetcher, type ImageWishes } from '../../src/upstream/image-fetcher.ts';
import { publicAddresses } from '../../src/upstream/public-address.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { answer, CHUNKED, chunk, head, type Script, ScriptedUpstream } from '../support/scripted-upstream.ts';

const CERT = readFileSync(new URL('./fixtures/loopback.crt', import.meta.url), 'utf8');
const KEY = readFileSync(new URL('./fixtures/loopback.key', import.meta.url), 'utf8');
const PICTURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x00]);

type Options = Partial<Parameters<typeof createImageFetcher>[0]>;

/** A picture's server on this machine, behind a name that a resolver of the test leads there. */
async function setUp(script: Script, options: Options = {}) {
  const upstream = await ScriptedUpstream.listen(script, { key: KEY, cert: CERT });
  const asked: string[] = [];
  const fetcher = createImageFetcher({
    clock: systemClock,
    userAgent: 'sluice/1.2.3',
    ca: CERT,
    resolve: (name, _options, callback) => {
      asked.push(name);
      callback(null, [{ address: '127.0.0.1', family: 4 }]);
    },
    mayReach: () => true,
    ...options,
  });
  onTestFinished(async () => {
    await fetcher.close();
    await upstream.close();
  });
  const fetchAt = (host: string, wishes: Partial<ImageWishes> = {}) => {
    const usual = { signal: new AbortController().signal, mayHold: () => true };
    return fetcher.fetch(`https://${host}:${upstream.port}/a.png?b=c`, { ...usual, ...wishes });
  };
  return { upstream, asked, fetchAt, fetcher };
}

const IMAGE: Script = (exchange) => exchange.end(answer(PICTURE, { 'content-type': 'image/PNG; x=y' }));

describe('a picture', () => {
  test('is fetched without anything of the client or of a key', async () => {
    const { upstream, fetchAt, asked } = await setUp(IMAGE);
    expect(await fetchAt('localhost')).toEqual({ mediaType: 'image/png', bytes: PICTURE });
    expect(asked).toEqual(['localhost']);
    const { method, target, headers } = await upstream.exchange();
    expect({ method, target }).toEqual({ method: 'GET', target: '/a.png?b=c' });
    expect([...headers.keys()].toSorted()).toEqual(['accept', 'accept-encoding', 'connection', 'host', 'user-agent']);
  });

  test.each([
    ['a redirect', answer('', { location: 'https://localhost/b.png' }, 302), 'answered 302'],
    ['an error', answer('no', {}, 404), 'answered 404'],
    ['a page', answer('<html>', { 'content-type': 'text/html' }), 'no plain image'],
    ['nothing that has a type', Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx'), 'no plain image'],
    [
      'something compressed',
      answer('x', { 'content-type': 'image/png', 'content-encoding': 'gzip' }),
      'no plain image',
    ],
    ['what says that it is too large', head({ 'content-type': 'image/png', 'content-length': '20971521' }), '20 MiB'],
  ])('is none where the server sends %s', async (_what, bytes, expected) => {
    const { upstream, fetchAt } = await setUp((exchange) => exchange.end(bytes));
    await expect(fetchAt('localhost')).rejects.toThrow(expected);
    expect(upstream.exchanges.length).toBe(1);
  });

  test('is none where it turns out to be too large', async () => {
    const { fetchAt } = await setUp(async (exchange) => {
      await exchange.write(head({ ...CHUNKED, 'content-type': 'image/png' }));
      for (let count = 0; count < 21; count += 1) await exchange.write(chunk(Buffer.alloc(1024 * 1024)));
    });
    await expect(fetchAt('localhost')).rejects.toThrow('20 MiB');
  });

  test('is none where there is no room for it', async () => {
    const { fetchAt } = await setUp(IMAGE);
    await expect(fetchAt('localhost', { mayHold: () => false })).rejects.toMatchObject({ isForRoom: true });
  });

  test('is none where it does not come in time', async () => {
    const clock = new FakeClock();
    const { upstream, fetchAt } = await setUp(() => undefined, { clock });
    const pending = expect(fetchAt('localhost')).rejects.toThrow('within 10 seconds');
    await upstream.exchange();
    await clock.advance(10_000);
    await pending;
  });

  test('is given up with the client', async () => {
    const { upstream, fetchAt } = await setUp(() => undefined);
    const client = new AbortController();
    const pending = expect(fetchAt('localhost', { signal: client.signal })).rejects.toThrow();
    const { gone } = await upstream.exchange();
    client.abort();
    await Promise.all([pending, gone]);
  });

  test.each([
    ['http://localhost/a.png', 'https'],
    ['ftp://localhost/a.png', 'https'],
    ['https://', 'https'],
    ['https://user:pass@localhost/a.png', 'credentials'],
  ])('is not fetched from %s', async (url, expected) => {
    const { fetcher, asked } = await setUp(IMAGE);
    await expect(fetcher.fetch(url, { signal: new AbortController().signal, mayHold: () => true })).rejects.toThrow(
      expected,
    );
    expect(asked).toEqual([]);
  });
});

describe('an address that is not public', () => {
  const closed: Options = { mayReach: publicAddresses() };

  test.each(['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', '[fe80::1]'])(
    'is not connected to when the URL says %s',
    async (host) => {
      const { upstream, fetchAt } = await setUp(IMAGE, closed);
      await expect(fetchAt(host)).rejects.toThrow('cannot be reached at a public address');
      expect(upstream.connections).toBe(0);
    },
  );

  test('is not connected to when a name leads there', async () => {
    const { upstream, fetchAt, asked } = await setUp(IMAGE, closed);
    await expect(fetchAt('localhost')).rejects.toThrow('cannot be reached at a public address');
    expect(asked).toEqual(['localhost']);
    expect(upstream.connections).toBe(0);
  });

  test('spoils a name that has public ones besides', async () => {
    const { upstream, fetchAt } = await setUp(IMAGE, {
      ...closed,
      resolve: (_name, _options, callback) =>
        callback(null, [
          { address: '93.184.215.14', family: 4 },
          { address: '127.0.0.1', family: 4 },
        ]),
    });
    await expect(fetchAt('localhost')).rejects.toThrow('cannot be reached');
    expect(upstream.connections).toBe(0);
  });

  test('is looked for at each connection, so a name that changes its mind gains nothing', async () => {
    const answers = [true, false];
    const isOpenOnce: Options = { mayReach: () => answers.shift() ?? false };
    const { upstream, fetchAt } = await setUp(
      (exchange) => exchange.end(answer(PICTURE, { 'content-type': 'image/png', connection: 'close' })),
      isOpenOnce,
    );
    await fetchAt('localhost');
    await upstream.until(() => upstream.sockets.size === 0);
    await expect(fetchAt('localhost')).rejects.toThrow('cannot be reached');
    expect(upstream.connections).toBe(1);
  });

  test('is told as what cannot be found is, so that nothing is learned of networks', async () => {
    const { fetchAt } = await setUp(IMAGE, {
      resolve: (_name, _options, callback) =>
        callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), []),
    });
    await expect(fetchAt('localhost')).rejects.toThrow('cannot be reached at a public address');
  });

  test.each([
    ...[
      '0.0.0.0',
      '10.1.2.3',
      '100.64.0.1',
      '100.127.255.255',
      '127.1.2.3',
      '169.254.169.254',
      '172.16.0.1',
      '172.31.9.9',
    ],
    ...[
      '192.168.1.1',
      '192.0.0.8',
      '192.0.2.1',
      '198.18.0.1',
      '198.51.100.7',
      '203.0.113.9',
      '224.0.0.1',
      '255.255.255.255',
    ],
    ...[
      '::',
      '::1',
      '::ffff:8.8.8.8',
      '::ffff:a00:1',
      '64:ff9b::8.8.8.8',
      '64:ff9b:1::1',
      '100::1',
      'fc00::1',
      'fd12::1',
    ],
    ...[
      'fe80::1',
      'fe80::1%lo',
      'fec0::1',
      'ff02::1',
      '2001::1',
      '2001:db8::1',
      '2002:7f00:1::',
      '3fff::1',
      'localhost',
      '',
    ],
  ])('is %s', (address) => {
    expect(publicAddresses()(address)).toBe(false);
  });

  test.each([
    '8.8.8.8',
    '100.63.255.255',
    '100.128.0.1',
    '172.15.0.1',
    '172.32.0.1',
    '2606:4700::1111',
    '2a00:1450::1',
  ])('is not %s', (address) => {
    expect(publicAddresses()(address)).toBe(true);
  });
});
