import { expect, test } from 'vitest';
import { aloneInMemory, oneShotBody } from '../../src/upstream/sent-body.ts';

test('a body is copied out of memory that it shares, and left where it is alone', () => {
  const pooled = Buffer.from('{"model":"gpt-4o"}');
  expect(pooled.buffer.byteLength).toBeGreaterThan(pooled.length);
  const alone = aloneInMemory(pooled);
  expect(Buffer.from(alone).toString()).toBe('{"model":"gpt-4o"}');
  expect(alone.buffer.byteLength).toBe(pooled.length);
  expect(aloneInMemory(alone)).toBe(alone);
});

test('a long body can be read once', async () => {
  const bytes = Buffer.from('long');
  const body = oneShotBody(bytes);
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  expect(pieces).toEqual([bytes]);
  for await (const piece of body) pieces.push(piece);
  expect(pieces).toHaveLength(1);
});
