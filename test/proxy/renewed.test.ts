import { describe, expect, test } from 'vitest';
import { ProxyError } from '../../src/errors.ts';
import type { ServedModel } from '../../src/proxy/served-model.ts';
import type { TokenEstimate } from '../../src/tokens/estimate.ts';
import { apiError, COMPLETION } from '../support/chat-answers.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type BenchModel, type Chat, type ChatOptions, ProxyBench } from '../support/proxy-bench.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';

const TOKENS = { inputTokens: 10, atLeastTokens: 5 };

/** A bench whose one model may be configured anew; its key has one request a minute. */
class World {
  readonly clock = new FakeClock();
  readonly transport = new ScriptedTransport();
  readonly bench: ProxyBench;
  /** How long it takes to count a request; default: no time. */
  counting: (() => TokenEstimate | Promise<TokenEstimate>) | null = null;
  #model: ServedModel | null = null;

  constructor(model: BenchModel = { targets: [{ rpm: 1 }], maxWaitMs: 300_000 }) {
    const find = (): ServedModel => {
      if (this.#model) return this.#model;
      throw new ProxyError('model_not_found', 'There is no such model.');
    };
    this.bench = new ProxyBench({
      ...model,
      clock: this.clock,
      transport: this.transport,
      services: {
        models: { find, fallback: () => null },
        tokens: { estimate: () => this.counting?.() ?? TOKENS },
      },
    });
    this.#model = this.bench.model;
  }

  /** Takes what the key has, so that the next one waits. */
  async fill(): Promise<void> {
    const filler = this.bench.chat();
    (await this.transport.call()).answer(COMPLETION);
    await filler.done;
  }

  /** One that waits. */
  async waiting(options: ChatOptions = {}): Promise<Chat> {
    const chat = this.bench.chat({}, options);
    await settle();
    expect(this.bench.scheduler.waiting).toBe(1);
    return chat;
  }

  /** Another configuration: null has no such model. */
  reload(change: ((model: ServedModel) => ServedModel) | null): void {
    this.#model = change?.(this.#model ?? this.bench.model) ?? null;
    this.bench.scheduler.changed();
  }
}

/** Lets what was promised run: no timer is involved. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** The model of another bench: its routes and, as they are other objects, its targets. */
function modelWith(targets: BenchModel['targets']): ServedModel {
  return new ProxyBench({ clock: new FakeClock(), transport: new ScriptedTransport(), ...(targets && { targets }) })
    .model;
}

/** The same target with another key. */
function otherKey({ targets }: ServedModel): ServedModel {
  return { ...modelWith([{ keys: ['second'] }]), targets };
}

describe('a request that waits while the configuration changes', () => {
  test('goes with a key that is new, without being counted again', async () => {
    const world = new World();
    await world.fill();
    const chat = await world.waiting();
    world.counting = () => {
      throw new Error('it was counted already');
    };
    world.reload(otherKey);
    const call = await world.transport.call(2);
    expect(call.request.headers['authorization']).toBe('Bearer sk-second');
    call.answer(COMPLETION);
    await chat.done;
    expect(chat.reply.headers).toMatchObject({ 'x-sluice-key': 'second', 'x-sluice-attempts': '1' });
    expect(world.bench.scheduler.openLeases).toBe(0);
  });

  test('waits on where nothing changes for it', async () => {
    const world = new World();
    await world.fill();
    const chat = await world.waiting();
    world.reload((model) => model);
    expect(world.bench.scheduler.waiting).toBe(1);
    world.clock.advance(61_000);
    (await world.transport.call(2)).answer(COMPLETION);
    await chat.done;
    expect(chat.error).toBeNull();
  });

  test('is sent with another secret of the same key', async () => {
    const world = new World();
    await world.fill();
    const chat = await world.waiting();
    world.reload((model) => {
      const endpoints = [...model.endpoints].map(
        ([route, each]) => [route, { ...each, apiKey: 'sk-changed' }] as const,
      );
      return { ...model, endpoints: new Map(endpoints) };
    });
    expect(world.bench.scheduler.waiting).toBe(1);
    world.clock.advance(61_000);
    const call = await world.transport.call(2);
    expect(call.request.headers['authorization']).toBe('Bearer sk-changed');
    call.answer(COMPLETION);
    await chat.done;
  });

  test('is counted for a target that is new, and keeps its place meanwhile', async () => {
    const world = new World();
    await world.fill();
    const chat = await world.waiting();
    let counted: (tokens: TokenEstimate) => void = () => {};
    world.counting = () =>
      new Promise((resolve) => {
        counted = resolve;
      });
    world.reload(() => modelWith([{ name: 'other', keys: ['second'] }]));
    await settle();
    expect(world.bench.scheduler.waiting).toBe(0);
    counted(TOKENS);
    (await world.transport.call(2)).answer(COMPLETION);
    await chat.done;
    expect(chat.reply.headers).toMatchObject({ 'x-sluice-provider': 'other', 'x-sluice-key': 'second' });
  });

  test('and whose configuration changes again while it is counted is what it is by then', async () => {
    const world = new World();
    await world.fill();
    const chat = await world.waiting();
    const counts: ((tokens: TokenEstimate) => void)[] = [];
    world.counting = () => new Promise((resolve) => counts.push(resolve));
    world.reload(() => modelWith([{ name: 'other', keys: ['second'] }]));
    await settle();
    world.reload(() => modelWith([{ name: 'third', keys: ['third'] }]));
    counts[0]?.(TOKENS);
    await settle();
    expect(world.transport.calls).toHaveLength(1);
    counts[1]?.(TOKENS);
    (await world.transport.call(2)).answer(COMPLETION);
    await chat.done;
    expect(chat.reply.headers).toMatchObject({ 'x-sluice-provider': 'third' });
  });

  test('is told why when no target is left that can serve it', async () => {
    const small = { changes: { contextLengthTokens: 4 }, keys: ['small'] };
    const world = new World({ targets: [small, { rpm: 1 }], maxWaitMs: 300_000 });
    await world.fill();
    const chat = await world.waiting();
    world.reload((model) => {
      const { options } = model.routes;
      const routes = { ...model.routes, options: options.filter(({ target }) => target === 0), after: [0] };
      return { ...model, routes, targets: model.targets.slice(0, 1) };
    });
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'context_length_exceeded' });
    expect(world.bench.scheduler.waiting).toBe(0);
  });

  test('is told at once when its model is gone', async () => {
    const world = new World();
    await world.fill();
    const chat = await world.waiting();
    world.reload(null);
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'model_not_found' });
    expect(world.bench.scheduler.waiting).toBe(0);
  });

  test('leaves nothing behind when its client leaves while it is counted', async () => {
    const world = new World();
    await world.fill();
    const chat = await world.waiting();
    let counted: (tokens: TokenEstimate) => void = () => {};
    world.counting = () =>
      new Promise((resolve) => {
        counted = resolve;
      });
    world.reload(() => modelWith([{ name: 'other', keys: ['second'] }]));
    await settle();
    chat.reply.leave();
    counted(TOKENS);
    await chat.done;
    expect(world.transport.calls).toHaveLength(1);
    expect(world.bench.scheduler.waiting).toBe(0);
    expect(world.bench.summaries.at(-1)?.status).toBe(499);
  });
});

test('a request that is counted while the configuration changes waits for what is configured then', async () => {
  const world = new World({ targets: [{ keys: ['first'] }] });
  let counted: (tokens: TokenEstimate) => void = () => {};
  world.counting = () =>
    new Promise((resolve) => {
      counted = resolve;
    });
  const chat = world.bench.chat();
  await settle();
  world.reload(otherKey);
  counted(TOKENS);
  const call = await world.transport.call();
  expect(call.request.headers['authorization']).toBe('Bearer sk-second');
  call.answer(COMPLETION);
  await chat.done;
});

test('a failed attempt is repeated with what is configured by then', async () => {
  const world = new World({ targets: [{ keys: ['first'] }] });
  const chat = world.bench.chat();
  const call = await world.transport.call();
  world.reload(otherKey);
  call.answer(apiError('boom'), 500);
  await settle();
  world.clock.advance(30_000);
  const second = await world.transport.call(2);
  expect(second.request.headers['authorization']).toBe('Bearer sk-second');
  second.answer(COMPLETION);
  await chat.done;
  expect(chat.reply.headers).toMatchObject({ 'x-sluice-key': 'second', 'x-sluice-attempts': '2' });
  expect(world.bench.scheduler.openLeases).toBe(0);
});
