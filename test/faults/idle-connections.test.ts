import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { RawClient } from '../support/raw-client.ts';
import { together, until } from '../system/world.ts';
import { servedWorld } from './served-world.ts';

/**
 * A process of its own for the far ends: both would not fit the file handles that many systems give to one. It opens what
 * it may (`opened N`), and says how many are still open when asked (`left N`).
 */
const CROWD = `
import { connect } from 'node:net';
const [port, count] = process.argv.slice(1).map(Number);
let opened = 0, failed = 0, left = 0;
const settle = () => { if (opened + failed === count) console.log('opened ' + opened); };
const open = () => {
  const socket = connect(port, '127.0.0.1');
  socket.once('connect', () => { opened++; left++; socket.once('close', () => left--); settle(); });
  socket.on('error', () => { if (socket.connecting || socket.pending) { failed++; settle(); } });
  socket.resume();
};
for (let i = 0; i < count; i++) setTimeout(open, i / 5);
process.stdin.on('data', () => console.log('left ' + left));
`;

async function startCrowd(port: number, count: number) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', CROWD, String(port), String(count)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout });
  const next = async (word: string): Promise<number> => {
    const [line] = (await once(lines, 'line')) as [string];
    expect(line).toMatch(new RegExp(`^${word} `));
    return Number(line.split(' ')[1]);
  };
  return {
    opened: await next('opened'),
    left: () => {
      const answer = next('left');
      child.stdin.write('?');
      return answer;
    },
    end: async () => {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    },
  };
}

const COUNT = 10_000;

test('ten thousand idle connections take bounded memory, others are served, and all are closed in time', {
  timeout: 120_000,
}, async () => {
  await using world = await servedWorld({ server: { max_connections: COUNT + 100, timeouts: { headers: '10s' } } });
  await world.sluice.chat();
  const before = process.memoryUsage().rss;
  const crowd = await startCrowd(world.port, COUNT);
  if (crowd.opened < COUNT) console.log(`this system gave ${crowd.opened} of ${COUNT} connections`);
  expect(crowd.opened).toBeGreaterThan(1_000);

  const answers = await together(20, () => world.sluice.chat({ max_completion_tokens: 5 }));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  const eachBytes = (process.memoryUsage().rss - before) / crowd.opened;
  expect(eachBytes).toBeLessThan(40_000);

  // They never said a word: the time for headers ends them.
  await until(async () => (await crowd.left()) === 0);
  await crowd.end();
  await world.expectWell();
});

test('beyond max_connections a connection is closed unheard, and those that are open are served', async () => {
  await using world = await servedWorld({ server: { max_connections: 5 } });
  const body = RawClient.post('/v1/chat/completions', {
    model: 'gpt-4o',
    messages: [{ role: 'user', content: 'Hi' }],
    max_completion_tokens: 5,
  });
  const open = await together(5, () => world.connect());
  await open[0]?.send(body);
  await open[0]?.until((text) => text.includes('"usage"'));
  const late = await world.connect();
  await late.send(body).catch(() => undefined);
  expect(await late.rest()).toBe('');
  late.close();
  await open[1]?.send(body);
  await open[1]?.until((text) => text.includes('"usage"'));
  for (const client of open) client.close();
  await until(async () => (await world.sluice.chat().catch(() => null))?.status === 200);
  await world.expectWell();
});
