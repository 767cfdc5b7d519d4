import { expect, test } from 'vitest';
import { answer, errorOf, eventually, RawClient, requestText, startServer } from './support.ts';

test('a connection beyond the limit is closed unheard', async () => {
  const { port } = await startServer({ settings: { maxConnections: 1 } });
  const first = new RawClient(port).write(requestText());
  expect((await first.answer())?.status).toBe(200);
  expect(await new RawClient(port).write(requestText()).answer()).toBeNull();
  expect((await first.write(requestText()).answer())?.status).toBe(200);
});

// One connection could have as many upstream sockets as it asked for.
test('beyond a hundred unanswered requests on one connection the next are refused, until some are answered', async () => {
  const waiting: (() => void)[] = [];
  const { port } = await startServer({
    chat: async (_request, reply) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      answer(reply, { served: true });
    },
  });
  const client = new RawClient(port).write(requestText().repeat(105));
  await eventually(() => waiting.length).toBe(100);
  for (const finish of waiting.splice(0)) finish();
  for (let count = 0; count < 100; count += 1) expect((await client.answer())?.status).toBe(200);
  for (let count = 0; count < 5; count += 1) {
    const got = await client.answer();
    expect(got?.status).toBe(503);
    expect(errorOf(got)).toMatchObject({ code: 'server_busy' });
  }
  client.write(requestText());
  await eventually(() => waiting.length).toBe(1);
  waiting[0]?.();
  expect((await client.answer())?.status).toBe(200);
});

test('hundreds of pipelined requests leave no listener behind', async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warned);
  const { port, server } = await startServer();
  const client = new RawClient(port);
  for (let round = 0; round < 4; round += 1) {
    client.write(requestText().repeat(90));
    for (let count = 0; count < 90; count += 1) expect((await client.answer())?.status).toBe(200);
  }
  client.socket.end();
  await client.closed();
  process.off('warning', warned);
  expect(warnings).toEqual([]);
  expect(server.heldBodyBytes).toBe(0);
});
