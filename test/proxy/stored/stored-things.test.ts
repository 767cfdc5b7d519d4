import { describe, expect, test } from 'vitest';
import { StoredThings } from '../../../src/proxy/stored/stored-things.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type BenchTarget, ProxyBench } from '../../support/proxy-bench.ts';
import { ScriptedTransport } from '../../support/scripted-transport.ts';

const RESPONSE = {
  id: 'resp_68f1c2d3',
  object: 'response',
  status: 'completed',
  output: [],
  usage: { input_tokens: 1, output_tokens: 1 },
};
const TWO_KEYS: BenchTarget = { keys: ['first', 'second'] };

function setUp(targets: readonly BenchTarget[] = [TWO_KEYS], isShared = false) {
  const transport = new ScriptedTransport();
  const bench = new ProxyBench({ clock: new FakeClock(), transport, targets, services: { isShared } });
  const respond = (body: object, client = 'web') =>
    bench.chat({ input: 'Hi', ...body }, { operation: 'responses', client });
  const keyOf = async (number: number) => (await transport.call(number)).request.headers['authorization'];
  return { bench, transport, respond, keyOf };
}

/** The second key makes a response. */
async function withResponse(targets?: readonly BenchTarget[]) {
  const world = setUp(targets);
  const { bench, transport, respond, keyOf } = world;
  const busy = respond({});
  await transport.call(1);
  const made = respond({ input: 'Other' });
  (await transport.call(2)).answer(RESPONSE);
  await made.done;
  const maker = await keyOf(2);
  busy.reply.leave();
  await busy.done;
  return { ...world, maker, bench };
}

describe('a response that an upstream keeps', () => {
  test('is gone on with by the key that made it, for every later call', async () => {
    const { transport, respond, keyOf, maker } = await withResponse();
    for (const number of [3, 4, 5]) {
      const next = respond({ previous_response_id: RESPONSE.id });
      expect(await keyOf(number)).toBe(maker);
      (await transport.call(number)).answer({ ...RESPONSE, id: `resp_99999${number}` });
      await next.done;
    }
  });

  test('is told of by the last event of a stream as well', async () => {
    const { transport, respond, keyOf } = setUp();
    const made = respond({ stream: true });
    const event = { type: 'response.completed', response: RESPONSE };
    const delta = { type: 'response.output_text.delta', delta: 'Hi' };
    const call = (await transport.call(1)).stream();
    for (const each of [delta, event]) call.data(`event: ${each.type}\ndata: ${JSON.stringify(each)}\n\n`);
    call.end();
    await made.done;
    const next = respond({ previous_response_id: RESPONSE.id });
    expect(await keyOf(2)).toBe(await keyOf(1));
    next.reply.leave();
    await next.done;
  });

  test('is unknown to every other client', async () => {
    const { respond, transport } = await withResponse();
    const other = respond({ previous_response_id: RESPONSE.id }, 'somebody');
    await other.done;
    expect(other.error).toMatchObject({ code: 'not_found', status: 404 });
    expect(transport.calls.length).toBe(2);
  });

  test('is unknown to a model that its provider does not serve', async () => {
    const stored = new StoredThings();
    const { model } = setUp().bench;
    const [target] = model.targets;
    const [endpoint] = model.endpoints.values();
    if (!(target && endpoint)) throw new Error('no route');
    stored.keep(['resp_000001'], { target: { ...target, providerName: 'elsewhere' }, endpoint }, { name: 'web' });
    expect(() => stored.routesTo(model, ['resp_000001'], { name: 'web', isShared: false })).toThrow(
      expect.objectContaining({ code: 'not_found' }),
    );
  });

  test('that nobody has made here is not found', async () => {
    const { respond, transport } = setUp();
    const lost = respond({ previous_response_id: 'resp_never1' });
    await lost.done;
    expect(lost.error).toMatchObject({ code: 'not_found' });
    expect(transport.calls).toEqual([]);
  });

  test('may have been made elsewhere where there is one key, and nobody to hide it from', async () => {
    const { respond, transport } = setUp([{}], true);
    const found = respond({ previous_response_id: 'resp_before1' });
    expect((await transport.call(1)).json).toMatchObject({ previous_response_id: 'resp_before1' });
    found.reply.leave();
    await found.done;
  });
});

describe('what is kept', () => {
  const { model } = setUp().bench;
  const [target] = model.targets;
  const [first, second] = [...model.endpoints.values()];
  if (!(target && first && second)) throw new Error('too few routes');
  const web = { name: 'web' };
  const asWeb = { ...web, isShared: false };

  test('in two places cannot be had in one request', () => {
    const stored = new StoredThings();
    stored.keep(['file-aaaaaa1'], { target, endpoint: first }, web);
    stored.keep(['file-bbbbbb2'], { target, endpoint: second }, web);
    expect(() => stored.routesTo(model, ['file-aaaaaa1', 'file-bbbbbb2'], asWeb)).toThrow(
      expect.objectContaining({ code: 'bad_request' }),
    );
  });

  test('stays with whoever made it first', () => {
    const stored = new StoredThings();
    stored.keep(['file-aaaaaa1'], { target, endpoint: first }, web);
    stored.keep(['file-aaaaaa1'], { target, endpoint: second }, { name: 'somebody' });
    const { routes } = stored.routesTo(model, ['file-aaaaaa1'], asWeb);
    expect(routes.options.map(({ route }) => model.endpoints.get(route))).toEqual([first]);
  });

  // An id was looked for over all providers: a file called like a model took its path away from everybody.
  test('at one provider, be it called like a model, is nothing to another provider', () => {
    const stored = new StoredThings();
    const elsewhere = { target: { ...target, providerName: 'elsewhere' }, endpoint: first };
    stored.keep(['gpt-4o-2024'], elsewhere, { name: 'somebody' });
    expect(stored.routesTo(model, ['models', 'gpt-4o-2024'], asWeb)).toBe(model);
    expect(stored.providerOf(['gpt-4o-2024'], { name: 'somebody' })).toBe('elsewhere');
    expect(() => stored.providerOf(['gpt-4o-2024'], web)).toThrow(expect.objectContaining({ code: 'not_found' }));
  });

  test('by the same id at two providers, for two clients, is found by each where it made it', () => {
    const stored = new StoredThings();
    stored.keep(['batch_000001'], { target: { ...target, providerName: 'elsewhere' }, endpoint: first }, { name: 'b' });
    stored.keep(['batch_000001'], { target, endpoint: second }, web);
    expect(stored.providerOf(['batch_000001'], { name: 'b' })).toBe('elsewhere');
    expect(stored.providerOf(['batch_000001'], web)).toBe(target.providerName);
    expect(stored.routesTo(model, ['batch_000001'], asWeb).routes.options).toHaveLength(1);
  });

  test('is forgotten when there is too much, the longest unused first', () => {
    const stored = new StoredThings(2);
    const made = { target, endpoint: first };
    stored.keep(['file-aaaaaa1', 'file-bbbbbb2'], made, web);
    stored.routesTo(model, ['file-aaaaaa1'], asWeb);
    stored.keep(['file-cccccc3'], made, web);
    expect(() => stored.routesTo(model, ['file-bbbbbb2'], asWeb)).toThrow();
    expect(stored.routesTo(model, ['file-aaaaaa1', 'file-cccccc3'], asWeb).routes.options.length).toBe(1);
  });

  test('is nothing that a request must name: all routes are left to one that names none, or what no vendor names so', () => {
    const stored = new StoredThings();
    expect(stored.routesTo(model, ['files', 'content'], asWeb)).toBe(model);
  });
});
