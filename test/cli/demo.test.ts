import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { DemoRun } from './demo-io.ts';

const running: DemoRun[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((demo) => demo.end('SIGTERM')));
});

async function started(...parts: ConstructorParameters<typeof DemoRun>): Promise<DemoRun> {
  const demo = new DemoRun(...parts);
  await demo.done;
  running.push(demo);
  return demo;
}

const hello = (model: string) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] }),
});

describe('the demo', () => {
  it('says that everything is made up, and which keys there are', async () => {
    const { out, err } = await started(['demo', '--port', '0']);
    expect(out).toContain('the vendor is simulated on this machine');
    expect(out).toContain('No key of yours is used, nothing leaves this machine, and every answer is made up.');
    for (const requests of [20, 40, 60]) {
      expect(out).toMatch(new RegExp(`demo-${requests} +${requests} +${requests},000\n`));
    }
    expect(err).toBe('');
  });

  it('prints a curl line that works as printed', async () => {
    const { out } = await started(['demo', '--port', '0']);
    const [, url = '', type = '', body = ''] = /curl (\S+) -H '([^']+)' -d '([^']+)'/.exec(out) ?? [];
    const [name = '', value = ''] = type.split(': ');
    const answer = await fetch(url, { method: 'POST', headers: { [name]: value }, body });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ choices: [{ message: { role: 'assistant' } }] });
    expect(answer.headers.get('x-sluice-key')).toMatch(/^demo-(20|40|60)$/);
  });

  it('answers whatever model is asked for, so that any application can be pointed at it', async () => {
    const { url } = await started(['demo', '--port', '0']);
    const answer = await fetch(`${url}/v1/chat/completions`, hello('some-model'));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ model: 'gpt-4o-mini' });
  });

  it('shows its keys at /queue', async () => {
    const { out, url } = await started(['demo', '--port', '0']);
    expect(out).toContain(`  ${url}/queue\n`);
    const { quotas, tickets } = (await (await fetch(`${url}/queue`)).json()) as {
      quotas: { quota: string; limits: { limit: string; capacity: number }[] }[];
      tickets: unknown[];
    };
    expect(tickets).toEqual([]);
    const ours = quotas.filter(({ quota }) => quota.endsWith(' gpt-4o-mini'));
    expect(ours.map(({ quota, limits }) => [quota, limits.map(({ capacity }) => capacity)])).toEqual([
      ['demo-20 gpt-4o-mini', [20, 20_000]],
      ['demo-40 gpt-4o-mini', [40, 40_000]],
      ['demo-60 gpt-4o-mini', [60, 60_000]],
    ]);
  });

  it('needs no key of the environment and no proxy, even where there are some', async () => {
    const env = { OPENAI_API_KEY: 'sk-real', HTTP_PROXY: 'http://127.0.0.1:9', http_proxy: 'http://127.0.0.1:9' };
    const { out, url } = await started(['demo', '--port', '0'], { env });
    expect((await fetch(`${url}/v1/chat/completions`, hello('gpt-4o'))).status).toBe(200);
    expect(out).not.toContain('sk-');
  });

  it('is what a start is without a file and without a key', async () => {
    const { out, url } = await started(['--port', '0']);
    expect(out).toContain('demo: the vendor is simulated');
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  it('listens on PORT, also from .env, and on --host and --port before it', async () => {
    const free = await freePort();
    const { url } = await started(['demo'], { files: { '.env': `PORT=${free}\n` } });
    expect(url).toBe(`http://127.0.0.1:${free}`);
    const other = await started(['demo', '--host', 'localhost', '--port', '0'], { env: { PORT: String(free) } });
    expect(other.url).not.toContain(String(free));
  });

  it('says in one line that its port is taken', async () => {
    const { url } = await started(['demo', '--port', '0']);
    const { port } = new URL(url);
    const second = new DemoRun(['demo', '--port', port]);
    await second.done;
    expect(second.err).toBe(
      `sluice: port ${port} on 127.0.0.1 is taken: stop what uses it, or choose another with --port\n`,
    );
    expect(second.exits).toEqual([1]);
  });

  it('ends well at Ctrl-C, frees its port, and leaves no file behind', async () => {
    const demo = new DemoRun(['demo', '--port', '0']);
    await demo.done;
    expect((await fetch(`${demo.url}/v1/chat/completions`, hello('gpt-4o'))).status).toBe(200);
    await demo.end('SIGINT');
    expect(demo.exits).toEqual([0]);
    await expect(fetch(`${demo.url}/health`)).rejects.toThrow();
    expect(readdirSync(demo.cwd)).toEqual([]);
  });
});

// In real time: on a faster clock the skew that the books allow for shrinks with it, and a busy machine exceeds that.
describe('the burst', () => {
  it('serves 30 requests in the end, and gives the vendor nothing to refuse', async () => {
    const burst = new DemoRun(['demo', '--burst']);
    await burst.done;
    expect(burst.out).toContain('30 requests at once, on keys of 20, 40 and 60 requests a minute');
    expect(burst.out).toContain('30 of 30 requests were served within');
    expect(burst.out).toMatch(/next to start\n.*on demo-(20|40|60) in \d/);
    expect(burst.out).toMatch(/refused at once +\d+ of 30/);
    expect(burst.out).toMatch(
      /their retry-after +(\d+\.\d s) to (\d+\.\d s); (\d+) of \3 came back then and were served/,
    );
    expect(burst.out).toContain("the vendor's 429s    0 (its own books: 30 came, 30 were let in)");
    expect(burst.exits).toEqual([0]);
  });

  it('draws the table again and again on a terminal', async () => {
    const burst = new DemoRun(['demo', '--burst'], { isTTY: true });
    await burst.done;
    expect(burst.out.split('\u001b[J').length).toBeGreaterThan(5);
    expect(burst.out).toMatch(/waiting +for key +has waited +starts in/);
    expect(burst.exits).toEqual([0]);
  });

  it('ends at Ctrl-C at once', async () => {
    const burst = new DemoRun(['demo', '--burst']);
    await burst.printed('next to start');
    burst.signal('SIGINT');
    await burst.done;
    expect(burst.exits).toEqual([0]);
    expect(burst.out).not.toContain('were served within');
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
