import { describe, expect, test } from 'vitest';
import type { FaultRule } from '../../src/simulator/faults.ts';
import {
  errorOf,
  KEYS,
  provider,
  type SimulatorAt,
  type Sluice,
  startSimulator,
  startSluice,
  together,
  until,
} from './world.ts';

interface World extends AsyncDisposable {
  readonly main: SimulatorAt;
  readonly spare: SimulatorAt;
  readonly sluice: Sluice;
}

interface Setup {
  readonly rpm?: number;
  readonly mainFaults?: readonly FaultRule[];
  readonly spareFaults?: readonly FaultRule[];
  readonly model?: object;
  readonly target?: object;
}

/** Two vendors, one for each model: what `gpt-4o` cannot do falls to `claude-like`. */
async function startWorld({ rpm = 600, mainFaults = [], spareFaults = [], model, target }: Setup = {}): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const vendor = (name: 'bad' | 'good', models: string[], faults: readonly FaultRule[]) =>
    startSimulator({
      organizations: [{ name: `of-${name}`, keys: [{ name, key: KEYS[name] }], limits: { rpm: { limit: 600 } } }],
      models,
      faults,
    });
  const main = stack.use(await vendor('bad', ['gpt-4o'], mainFaults));
  const spare = stack.use(await vendor('good', ['spare-4'], spareFaults));
  const limits = (limit: number) => ({ limits: { rpm: limit } });
  const sluice = stack.use(
    await startSluice({
      defaults: { retry: { attempts: 2 } },
      providers: [
        provider(main.url, [{ name: 'bad', key: KEYS.bad }], { name: 'main', ...limits(rpm) }),
        provider(spare.url, [{ name: 'good', key: KEYS.good }], { name: 'spare', ...limits(600) }),
      ],
      models: [
        {
          name: 'gpt-4o',
          queue: { max_wait: '2s' },
          fallbacks: ['spare'],
          targets: [{ provider: 'main', model: 'gpt-4o', ...target }],
          ...model,
        },
        { name: 'spare', fallbacks: ['gpt-4o'], targets: [{ provider: 'spare', model: 'spare-4' }] },
      ],
    }),
  );
  const owned = stack.move();
  return { main, spare, sluice, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function expectBooksInOrder({ sluice, main, spare }: World): Promise<void> {
  await until(() => sluice.app.openLeases === 0);
  expect(sluice.app.heldBodyBytes).toBe(0);
  for (const { simulator } of [main, spare]) expect(simulator.ledger().rateLimited).toBe(0);
  const { models } = await sluice.queue();
  for (const { waiting } of models) expect(waiting).toBe(0);
}

describe('over sockets, a fallback', () => {
  test('answers while the vendor of the model is dead', async () => {
    await using world = await startWorld({
      mainFaults: [{ kind: 'reset_before_body' }],
      model: { queue: { max_wait: '10s' } },
    });
    const answers = await together(20, (index) => world.sluice.chat({ stream: index % 2 === 0 }));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(answers.map(({ headers }) => headers.get('x-sluice-model'))).toEqual(answers.map(() => 'spare-4'));
    await expectBooksInOrder(world);
  });

  test('takes what the model has no room for, at once', async () => {
    await using world = await startWorld({ rpm: 4 });
    const answers = await together(20, (index) =>
      world.sluice.chat({ messages: [{ role: 'user', content: `${index}` }] }),
    );
    const servers = answers.map(({ headers }) => headers.get('x-sluice-provider'));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(new Set(servers)).toEqual(new Set(['main', 'spare']));
    expect(servers.filter((name) => name === 'main').length).toBeLessThanOrEqual(5);
    await expectBooksInOrder(world);
  });

  test('of a longer context takes what is too long for the model', async () => {
    const target = { context_length: 16 };
    await using world = await startWorld({ model: { fallbacks: [], context_fallbacks: ['spare'] }, target });
    const content = 'A longer story than that. '.repeat(40);
    const answer = await world.sluice.chat({ messages: [{ role: 'user', content }] });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-sluice-model')).toBe('spare-4');
    expect(world.main.simulator.ledger().received).toBe(0);
    await expectBooksInOrder(world);
  });

  test('that is dead as well leaves the client with the error of the model that it asked for', async () => {
    const faults: FaultRule[] = [{ kind: '500' }];
    await using world = await startWorld({ mainFaults: faults, spareFaults: [{ kind: 'reset_before_body' }] });
    const answer = await world.sluice.chat();
    expect(answer.status).toBe(502);
    expect(errorOf(answer)).toMatchObject({ code: 'upstream_error', message: expect.stringContaining('2 attempts') });
    expect(answer.headers.get('x-sluice-provider')).toBe('main');
    await expectBooksInOrder(world);
  });

  test('is given up when its client leaves', async () => {
    await using world = await startWorld({ mainFaults: [{ kind: '500' }], spareFaults: [{ kind: 'hang' }] });
    const leaving = new AbortController();
    const chat = world.sluice.chat({}, { signal: leaving.signal }).catch((error: unknown) => error);
    await until(() => world.spare.simulator.ledger().inFlight === 1);
    leaving.abort();
    await chat;
    await expectBooksInOrder(world);
  });
});
