import { expect, test } from 'vitest';
import { HeldBody } from '../../src/proxy/held-body.ts';
import { readRequestBody } from '../../src/proxy/request-body.ts';

function held(client: string, text: string): HeldBody {
  const bytes = Buffer.from(`{"model":"chat","messages":[{"role":"user","content":"${text}"}]}`);
  const asked = { operation: 'chat', modelInPath: null } as const;
  const request = { id: 'r', client: { name: client }, ...asked, receivedAt: 0, headers: {}, body: bytes };
  return new HeldBody({ ...request, holds: () => true, releaseBody: () => undefined }, readRequestBody(bytes));
}

test('a repeat is the same bytes of the same client', () => {
  expect(held('web', 'one').placeKey()).toBe(held('web', 'one').placeKey());
  expect(held('web', 'one').placeKey()).not.toBe(held('web', 'two').placeKey());
  expect(held('web', 'one').placeKey()).not.toBe(held('app', 'one').placeKey());
});

test("the key of a place outlives the bytes, and is nobody else's without them", () => {
  const early = held('web', 'one');
  const key = early.placeKey();
  early.release();
  expect(early).toMatchObject({ body: null });
  expect(early.placeKey()).toBe(key);
  const late = held('web', 'one');
  late.release();
  expect(late.placeKey()).not.toBe(key);
});
