import { describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import type { Quota } from '../../src/scheduler/quota.ts';
import { adapterOf } from '../../src/setup/adapters.ts';
import { Books } from '../../src/setup/books.ts';
import { ClientQuotas } from '../../src/setup/client-quotas.ts';
import { ServedModels } from '../../src/setup/served-models.ts';
import { FakeClock } from '../support/fake-clock.ts';

const ANYBODY = { name: 'anybody' };

function load(text: string): Config {
  const loaded = loadConfig({ text, format: 'yaml', env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes));
  return loaded.config;
}

/** Models and books that take one configuration after the other. */
class Setup {
  readonly clock = new FakeClock();
  readonly made: Quota[] = [];
  readonly gone: Quota[] = [];
  readonly books: Books;
  models: ServedModels;

  constructor(text: string) {
    const config = load(text);
    this.books = new Books({
      config,
      clock: this.clock,
      random: () => 0,
      factsOf: (provider) => adapterOf(provider).limits,
      keeper: { adopt: (quota) => this.made.push(quota), release: (quota) => this.gone.push(quota) },
    });
    this.models = new ServedModels({ config, books: this.books, adapterOf, createdAt: 0 });
  }

  reload(text: string): readonly string[] {
    const config = load(text);
    const reopened = this.books.reconfigure(config);
    this.models = new ServedModels({ config, books: this.books, adapterOf, createdAt: 0 }, this.models);
    this.books.forget();
    return reopened;
  }

  find(name = 'gpt-4o') {
    return this.models.find(name, ANYBODY);
  }

  routes(name?: string) {
    return this.find(name).routes.options.map(({ route }) => route);
  }
}

/** One provider with these keys and whatever more is said; one model. */
function file(keys: string, more = '', model = '{ name: gpt-4o, targets: [{ provider: openai }] }'): string {
  return `
providers:
  - type: openai
    keys: [${keys}]
    ${more}
models: [${model}]
`;
}

const A = '{ name: a, key: sk-a }';
const B = '{ name: b, key: sk-b }';

describe('another configuration', () => {
  test('in which nothing has changed leaves every model as it is', () => {
    const setup = new Setup(file(A));
    const before = setup.find();
    setup.reload(file(A));
    expect(setup.find()).toBe(before);
    expect(setup.made).toHaveLength(1);
  });

  test('with one key more keeps the routes of the others', () => {
    const setup = new Setup(file(A));
    const [a] = setup.routes();
    setup.reload(file(`${A}, ${B}`));
    expect(setup.routes().map(({ key }) => key.name)).toEqual(['a', 'b']);
    expect(setup.routes()[0]).toBe(a);
    // Sizes that are known of a waiting request are sizes for the same target.
    expect(setup.find().targets).toHaveLength(1);
  });

  test('keeps targets as long as nothing changes that requests are sized by', () => {
    const setup = new Setup(file(A));
    const [target] = setup.find().targets;
    setup.reload(file(`${A}, ${B}`, 'limits: { rpm: 5 }'));
    expect(setup.find().targets[0]).toBe(target);
    setup.reload(file(A, 'timeouts: { connect: 1s }'));
    expect(setup.find().targets[0]).not.toBe(target);
  });

  test('with other limits keeps the route and all that is booked', () => {
    const setup = new Setup(file(A, 'limits: { rpm: 100 }'));
    const [route] = setup.routes();
    route?.quotas[0].limits[0]?.primary.take(40, 0);
    const level = route?.quotas[0].limits[0]?.primary.level(0) as number;
    const before = setup.find();
    setup.reload(file(A, 'limits: { rpm: 200 }'));
    expect(setup.routes()[0]).toBe(route);
    expect(setup.find()).toBe(before);
    expect(route?.quotas[0].limits[0]?.primary.level(0)).toBeCloseTo(level, 6);
  });

  test('with another secret sends it, and asks a key that was refused once more', () => {
    const setup = new Setup(file(A));
    const [route] = setup.routes();
    if (route) route.key.disabled = 'credentials';
    expect(setup.reload(file('{ name: a, key: sk-another }'))).toEqual(['openai/a']);
    expect(setup.routes()[0]).toBe(route);
    expect(route?.isDisabled).toBe(false);
    expect([...setup.find().endpoints.values()].map(({ apiKey }) => apiKey)).toEqual(['sk-another']);
  });

  test('opens models that a key was not allowed, too', () => {
    const setup = new Setup(file(A));
    const [route] = setup.routes();
    if (route) route.isModelClosed = true;
    expect(setup.reload(file(A))).toEqual(['openai/a']);
    expect(setup.reload(file(A))).toEqual([]);
  });

  test('with limits of the key alone makes a route that knows what the old one knew', () => {
    const setup = new Setup(file(A));
    const [before] = setup.routes();
    setup.reload(file('{ name: a, key: sk-a, limits: { rpm: 3 } }'));
    const [after] = setup.routes();
    expect(after).not.toBe(before);
    expect(after?.circuit).toBe(before?.circuit);
    expect(after?.quotas[0]).toBe(before?.quotas[0]);
    expect(after?.meters.map(({ quotaName, name }) => `${quotaName} ${name}`)).toEqual(['openai/a rpm']);
  });

  test('at another address forgets what was learned of the old one, but not what was used', () => {
    const setup = new Setup(file(A, 'base_url: "http://127.0.0.1:1/v1"'));
    const [before] = setup.routes();
    setup.reload(file(A, 'base_url: "http://127.0.0.1:2/v1"'));
    const [after] = setup.routes();
    expect(after?.circuit).not.toBe(before?.circuit);
    expect(after?.quotas[0]).toBe(before?.quotas[0]);
  });

  test('keeps the turn of a strategy, and begins a new one with another', () => {
    const model = (strategy: string) => `{ name: gpt-4o, strategy: ${strategy}, targets: [{ provider: openai }] }`;
    const setup = new Setup(file(A, '', model('round-robin')));
    const { strategy } = setup.find().routes;
    setup.reload(file(`${A}, ${B}`, '', model('round-robin')));
    expect(setup.find().routes.strategy).toBe(strategy);
    setup.reload(file(`${A}, ${B}`, '', model('weighted')));
    expect(setup.find().routes.strategy).not.toBe(strategy);
  });

  test('of other weights is another model of the same routes', () => {
    const model = (weight: number) => `{ name: gpt-4o, targets: [{ provider: openai, weight: ${weight} }] }`;
    const setup = new Setup(file(A, '', model(1)));
    const [route] = setup.routes();
    setup.reload(file(A, '', model(2)));
    expect(setup.find().routes.options).toMatchObject([{ weight: 2 }]);
    expect(setup.routes()[0]).toBe(route);
  });

  test('without a model knows it no more, and its quota is forgotten when nothing is booked on it', () => {
    const setup = new Setup(file(A, 'limits: { rpm: 60 }'));
    const [route] = setup.routes();
    const booking = route?.quotas[0].limits[0]?.primary.take(1, 0);
    const other = '{ name: other, targets: [{ provider: openai }] }';
    setup.reload(file(A, '', other));
    expect(() => setup.find()).toThrow(/does not exist/);
    expect(setup.gone).toEqual([]);
    setup.clock.advance(10_000);
    setup.reload(file(A, '', other));
    expect(booking).toBeDefined();
    expect(setup.gone).toEqual([route?.quotas[0]]);
    expect(setup.books.size).toEqual({ quotas: 1, routes: 1 });
  });

  test('with a key that comes back finds its books', () => {
    const setup = new Setup(file(`${A}, ${B}`, 'limits: { rpm: 60 }'));
    const quota = setup.routes()[1]?.quotas[0];
    quota?.limits[0]?.primary.take(30, 0);
    setup.reload(file(A, 'limits: { rpm: 60 }'));
    setup.reload(file(`${A}, ${B}`, 'limits: { rpm: 60 }'));
    expect(setup.routes()[1]?.quotas[0]).toBe(quota);
  });

  test('keeps names that clients made up, as far as they still mean something', () => {
    const open = (keys: string) => `providers: [{ type: openai, keys: [${keys}] }]`;
    const setup = new Setup(open(A));
    const made = setup.find('made-up');
    setup.reload(open(A));
    expect(setup.find('made-up')).toBe(made);
    setup.reload(open(`${A}, ${B}`));
    expect(setup.find('made-up').routes.options).toHaveLength(2);
    setup.reload(file(A));
    expect(() => setup.find('made-up')).toThrow(/does not exist/);
  });

  test('keeps raw paths as they were, and knows none of a provider that is gone', () => {
    const setup = new Setup(file(A, 'raw: true'));
    const raw = setup.models.findRaw('openai', null, ANYBODY);
    setup.reload(file(A, 'raw: true'));
    expect(setup.models.findRaw('openai', null, ANYBODY)).toBe(raw);
    setup.reload(file(`${A}, ${B}`, 'raw: true'));
    expect(setup.models.findRaw('openai', null, ANYBODY)).not.toBe(raw);
    const other = file(A).replace('type: openai', 'type: groq').replace('provider: openai', 'provider: groq');
    setup.reload(other);
    expect(() => setup.models.findRaw('openai', null, ANYBODY)).toThrow(/no provider "openai"/);
  });
});

describe('clients of another configuration', () => {
  const clients = (text: string) => load(`${file(A)}\nclients: [${text}]`).clients;
  const limited = (rpm: number, more = '') => clients(`{ name: web, key: key-of-web, limits: { rpm: ${rpm} }${more} }`);

  test('keep what is booked on limits that stay, also while they are away', () => {
    const { made, keeper } = watched();
    const clock = new FakeClock();
    const quotas = new ClientQuotas(limited(10), clock, keeper);
    const { quota } = quotas.termsOf({ name: 'web' });
    quota?.limits[0]?.primary.take(8, 0);
    quotas.reconfigure(limited(20, ', on_limit: reject'));
    expect(quotas.termsOf({ name: 'web' })).toMatchObject({ quota, rejectsOnLimit: true });
    expect(quota?.limits[0]?.primary.level(0)).toBeCloseTo(2, 6);
    quotas.reconfigure(clients('{ name: other, key: key-of-other }'));
    expect(quotas.termsOf({ name: 'web' }).quota).toBeNull();
    quotas.reconfigure(limited(10));
    expect(quotas.termsOf({ name: 'web' }).quota).toBe(quota);
    expect(made).toHaveLength(1);
  });

  test('have another share only where theirs has changed: whoever waits is planned anew then', () => {
    const quotas = new ClientQuotas(limited(10), new FakeClock(), watched().keeper);
    const { share } = quotas.termsOf({ name: 'web' });
    quotas.reconfigure(limited(20));
    expect(quotas.termsOf({ name: 'web' }).share).toBe(share);
    quotas.reconfigure(limited(20, ', priority: low'));
    expect(quotas.termsOf({ name: 'web' }).share).toEqual({ priority: 'low', weight: 1 });
  });

  test('are forgotten when they are gone and nothing is booked', () => {
    const { made, gone, keeper } = watched();
    const quotas = new ClientQuotas(limited(10), new FakeClock(), keeper);
    quotas.reconfigure(clients('{ name: web, key: key-of-web }'));
    quotas.reconfigure(limited(10));
    expect(made).toHaveLength(2);
    expect(gone).toEqual(made.slice(0, 1));
  });
});

function watched() {
  const made: Quota[] = [];
  const gone: Quota[] = [];
  const keeper = { adopt: (quota: Quota) => made.push(quota), release: (quota: Quota) => gone.push(quota) };
  return { made, gone, keeper };
}
