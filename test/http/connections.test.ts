import { expect, test } from 'vitest';
import { RawClient, requestText, startServer } from './support.ts';

test('a connection beyond the limit is closed unheard', async () => {
  const { port } = await startServer({ settings: { maxConnections: 1 } });
  const first = new RawClient(port).write(requestText());
  expect((await first.answer())?.status).toBe(200);
  expect(await new RawClient(port).write(requestText()).answer()).toBeNull();
  expect((await first.write(requestText()).answer())?.status).toBe(200);
});

test('hundreds of pipelined requests leave no listener behind', async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warned);
  const { port, server } = await startServer();
  const client = new RawClient(port).write(requestText().repeat(300));
  for (let count = 0; count < 300; count += 1) expect((await client.answer())?.status).toBe(200);
  client.socket.end();
  await client.closed();
  process.off('warning', warned);
  expect(warnings).toEqual([]);
  expect(server.heldBodyBytes).toBe(0);
});
