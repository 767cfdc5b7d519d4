import { describe, expect, onTestFinished, test } from 'vitest';
import { HalfOpenProxy } from '../support/half-open-proxy.ts';
import { RawClient } from '../support/raw-client.ts';
import { CHAT, errorOf, together, until } from '../system/world.ts';
import { servedWorld } from './served-world.ts';

/** The most that is booked for an output that nobody capped. */
const RESERVED = 1_000;

async function relayTo(port: number): Promise<HalfOpenProxy> {
  const relay = await HalfOpenProxy.listen(port);
  onTestFinished(() => relay.close());
  return relay;
}

describe('a client that vanishes without a word', () => {
  test('in the middle of a stream is found by what it does not take', async () => {
    await using world = await servedWorld({
      answer: { outputTokens: 400_000 },
      tokens: 1_000_000_000,
      server: { timeouts: { write_stall: '300ms' } },
    });
    const relay = await relayTo(world.port);
    const client = await RawClient.connect(relay.port);
    await client.send(RawClient.post('/v1/chat/completions', { ...CHAT, stream: true }));
    await client.until((text) => text.includes('"content"'));
    relay.freeze();
    await until(() => world.sluice.app.openLeases === 0);
    await until(() => world.vendor.simulator.ledger().aborted === 1);
    await world.expectWell();
  });

  test('in the middle of an upload is found by the time of a request', async () => {
    await using world = await servedWorld({ server: { timeouts: { headers: '300ms', request: '500ms' } } });
    const relay = await relayTo(world.port);
    const client = await RawClient.connect(relay.port);
    await client.send(RawClient.post('/v1/chat/completions', { ...CHAT, user: 'x'.repeat(9_000) }).slice(0, 400));
    await until(() => world.sluice.app.heldBodyBytes > 0);
    relay.freeze();
    await until(() => world.sluice.app.heldBodyBytes === 0);
    expect(world.vendor.simulator.ledger().received).toBe(0);
    await world.expectWell();
  });

  test('while it waits is served into the void, and the books stay right', async () => {
    await using world = await servedWorld({ answer: { firstByteMs: 300, outputTokens: 20 } });
    const relay = await relayTo(world.port);
    const client = await RawClient.connect(relay.port);
    await client.send(RawClient.post('/v1/chat/completions', CHAT));
    await until(() => world.vendor.simulator.ledger().inFlight === 1);
    relay.freeze();
    await until(() => world.vendor.simulator.ledger().completed === 1);
    await world.expectWell();
  });
});

describe('an upstream that vanishes without a word', () => {
  const IMPATIENT = { timeouts: { connect: '500ms', first_byte: '500ms', idle: '500ms' } };

  async function behindRelay(answer: { firstByteMs?: number; tokensPerSecond?: number; outputTokens?: number }) {
    const held: { relay: HalfOpenProxy | null } = { relay: null };
    const world = await servedWorld({
      answer,
      provider: IMPATIENT,
      config: { defaults: { retry: { attempts: 1 } } },
      via: async (port) => {
        held.relay = await relayTo(port);
        return held.relay.port;
      },
    });
    return { world, relay: held.relay as HalfOpenProxy };
  }

  test.each([false, true])('before its head is a 504, streamed: %s', async (stream) => {
    const behind = await behindRelay({ firstByteMs: 200 });
    await using world = behind.world;
    const asked = world.sluice.chat({ stream });
    await until(() => world.vendor.simulator.ledger().inFlight === 1);
    behind.relay.freeze();
    const answer = await asked;
    expect(answer.status).toBe(504);
    expect(errorOf(answer).code).toBe('upstream_timeout');
    behind.relay.thaw();
    await world.expectCautiousBooks(RESERVED);
  });

  test('in the middle of a stream is an error in band', async () => {
    const behind = await behindRelay({ tokensPerSecond: 50, outputTokens: 500 });
    await using world = behind.world;
    const client = await world.connect();
    await client.send(RawClient.post('/v1/chat/completions', { ...CHAT, stream: true }));
    await client.until((text) => text.includes('"content"'));
    behind.relay.freeze();
    const text = await client.until((got) => got.includes('upstream_timeout'));
    expect(text).not.toContain('[DONE]');
    behind.relay.thaw();
    client.close();
    await world.expectCautiousBooks(RESERVED);
  });

  test('between two requests costs one of them, and no connection is kept for it', async () => {
    const behind = await behindRelay({ firstByteMs: 10 });
    await using world = behind.world;
    const before = await together(3, () => world.sluice.chat());
    expect(before.map(({ status }) => status)).toEqual([200, 200, 200]);
    behind.relay.freeze();
    expect((await world.sluice.chat()).status).toBe(504);
    behind.relay.thaw();
    await until(async () => (await world.sluice.chat()).status === 200);
    await world.expectCautiousBooks(RESERVED);
  });
});
