import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { RawClient } from '../support/raw-client.ts';
import {
  CHAT,
  KEYS,
  pause,
  provider,
  type SimulatorAt,
  startSimulator,
  startSluice,
  together,
  until,
} from './world.ts';

const RUN_MS = process.env['SYSTEM_LONG'] ? 30_000 : 10_000;
const CLIENTS = 24;

/** What each model's upstream is like. */
const VENDORS: Readonly<Record<string, NonNullable<SimulatorOptions['answer']>>> = {
  quick: { firstByteMs: 10 },
  busy: { firstByteMs: 200 },
  slow: { tokensPerSecond: 30, outputTokens: 300 },
  late: { firstByteMs: 20_000 },
  endless: { outputTokens: 400_000 },
};

type Phase = (client: RawClient) => Promise<unknown>;

function chat(model: string, fields: object = {}): string {
  return RawClient.post('/v1/chat/completions', { ...CHAT, model, ...fields });
}

function slightly(): Promise<void> {
  return pause(Math.random() * 40);
}

const UPLOAD = chat('quick', { messages: [{ role: 'user', content: 'word '.repeat(20_000) }] });

/** Where clients are when they leave. */
const PHASES: Readonly<Record<string, Phase>> = {
  'in a head': (client) => client.send(chat('quick').slice(0, 40)),
  uploading: (client) => client.send(UPLOAD.slice(0, Math.ceil(Math.random() * UPLOAD.length) - 1)).then(slightly),
  'just sent': (client) => client.send(chat('quick')),
  'on the way': (client) => client.send(chat('quick', { stream: Math.random() < 0.5 })).then(slightly),
  queued: (client) => client.send(chat('busy', { stream: Math.random() < 0.5 })).then(slightly),
  'second of two': (client) => client.send(chat('slow', { stream: true }) + chat('quick')).then(slightly),
  'second of two, the first served': async (client) => {
    await client.send(chat('quick') + chat('slow', { stream: true }));
    await client.until((text) => text.includes('"usage"'));
  },
  connecting: (client) => client.send(chat('silent')).then(slightly),
  'before the head': (client) => client.send(chat('late', { stream: Math.random() < 0.5 })).then(slightly),
  'in a stream': async (client) => {
    await client.send(chat('slow', { stream: true }));
    await client.until((text) => text.includes('"content"'));
  },
  paused: async (client) => {
    client.stopReading();
    await client.send(chat('endless', { stream: true }));
    await pause(100 + Math.random() * 200);
  },
  'done with writing': async (client) => {
    await client.send(chat('slow', { stream: true }));
    client.halfClose();
    await slightly();
  },
  served: async (client) => {
    await client.send(chat('quick'));
    await client.until((text) => text.includes('"usage"'));
  },
};

const LEAVINGS: readonly ((client: RawClient) => void)[] = [
  (client) => client.reset(),
  (client) => client.close(),
  (client) => {
    client.halfClose();
    client.close();
  },
];

function oneOf<Item>(items: readonly Item[]): Item {
  return items[Math.floor(Math.random() * items.length)] as Item;
}

/** Every TCP socket of this process, and so both ends of every connection, from now on. */
class Sockets implements Disposable {
  readonly #all = new Set<Socket>();
  readonly #add = (message: unknown): void => {
    this.#all.add((message as { readonly socket: Socket }).socket);
  };

  constructor() {
    for (const channel of SOCKET_CHANNELS) subscribe(channel, this.#add);
  }

  /** How many of those that are open a server has accepted at this port. */
  accepted(port: number): number {
    return [...this.#all].filter(({ destroyed, localPort }) => !destroyed && localPort === port).length;
  }

  [Symbol.dispose](): void {
    for (const channel of SOCKET_CHANNELS) unsubscribe(channel, this.#add);
  }
}

const SOCKET_CHANNELS = ['net.server.socket', 'net.client.socket'];

test('clients that leave at any moment leave nothing behind', { timeout: RUN_MS + 50_000 }, async () => {
  await using stack = new AsyncDisposableStack();
  const vendors: (readonly [model: string, at: SimulatorAt])[] = [];
  for (const [model, answer] of Object.entries(VENDORS)) {
    const organizations = [{ keys: [{ name: 'good', key: KEYS.good }] }];
    vendors.push([model, stack.use(await startSimulator({ organizations, models: [model], answer }, Math.random))]);
  }
  // Takes connections and says nothing, so that a TLS handshake never ends.
  const silent = createServer((socket) => socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  stack.defer(() => void silent.close());
  const { port: silentPort } = silent.address() as { readonly port: number };
  const keys = [{ name: 'good', key: KEYS.good }];
  const sluice = stack.use(
    await startSluice({
      providers: [
        ...vendors.map(([name, { url }]) => {
          const limits = name === 'busy' ? { concurrency: 1 } : {};
          return { ...provider(url, keys, { limits }), name };
        }),
        { ...provider(`https://127.0.0.1:${silentPort}`, keys), name: 'silent', timeouts: { connect: '30s' } },
      ],
      models: [...Object.keys(VENDORS), 'silent'].map((name) => ({ name, targets: [{ provider: name, model: name }] })),
    }),
  );
  const port = Number(new URL(sluice.url).port);
  using sockets = new Sockets();
  const visited = new Map<string, number>();

  const end = performance.now() + RUN_MS;
  await together(CLIENTS, async () => {
    while (performance.now() < end) {
      const client = await RawClient.connect(port);
      const [name, phase] = oneOf(Object.entries(PHASES));
      // A phase that is waited for may never come: the client gives up then.
      await Promise.race([phase(client), pause(2_000)]);
      oneOf(LEAVINGS)(client);
      await client.closed;
      visited.set(name, (visited.get(name) ?? 0) + 1);
    }
  });

  expect([...visited.keys()].sort()).toEqual(Object.keys(PHASES).sort());
  await until(() => sluice.app.openLeases === 0);
  await until(() => sluice.app.heldBodyBytes === 0);
  await until(() => vendors.every(([, { simulator }]) => simulator.ledger().inFlight === 0));
  await until(() => sockets.accepted(port) === 0);
  await until(() => sockets.accepted(silentPort) === 0);
  // This vendor lets a connection that nobody uses stand for a minute, so a few are kept for the next request.
  const vendorPorts = vendors.map(([, { url }]) => Number(new URL(url).port));
  for (const each of vendorPorts) expect(sockets.accepted(each)).toBeLessThanOrEqual(CLIENTS);
  const { models } = await sluice.queue();
  expect(models.map(({ waiting }) => waiting)).toEqual(models.map(() => 0));
  expect(models.map(({ inFlight }) => inFlight)).toEqual(models.map(() => 0));
  const answer = await sluice.chat({ model: 'quick' });
  expect(answer.status).toBe(200);
  expect(sluice.log.join('')).not.toContain('internal_error');
  await sluice.app.closeNow();
  await until(() => vendorPorts.every((each) => sockets.accepted(each) === 0));
});
