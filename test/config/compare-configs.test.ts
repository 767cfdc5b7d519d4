import { expect, test } from 'vitest';
import { adopt } from '../../src/config/compare-configs.ts';
import { fingerprint } from '../../src/config/fingerprint.ts';
import { configOf } from './load.ts';

const BASE = `
clients: [{ name: web, key: key-of-web }]
providers:
  - type: openai
    keys: [{ name: a, key: sk-a }, { name: b, key: sk-b }]
    headers: { X-Team: red }
models: [{ name: gpt-4o, targets: [{ provider: openai }] }]
`;

function changes(from: string, to: string) {
  return adopt(configOf(from), configOf(to)).changes;
}

test('the same file is no change', () => {
  expect(changes(BASE, BASE)).toEqual({ added: [], removed: [], changed: [] });
});

test('what comes and goes is told by its name, also keys of a provider', () => {
  const other = BASE.replace('name: b, key: sk-b', 'name: c, key: sk-b').replaceAll('gpt-4o', 'gpt-5');
  expect(changes(BASE, other)).toEqual({
    added: ['key openai/c', 'model gpt-5'],
    removed: ['key openai/b', 'model gpt-4o'],
    changed: [],
  });
});

test('what changes is told in the words of the file, and a secret that changes is seen and not told', () => {
  const other = BASE.replace('sk-a', 'sk-z')
    .replace('red', 'blue')
    .replace('key-of-web }', 'key-of-web, weight: 2, limits: { rpm: 5 } }');
  const { changed } = changes(BASE, other);
  expect(changed).toEqual(['provider openai (headers)', 'key openai/a (key)', 'client web (weight, limits)']);
});

test('hedging is told as well: when it comes, changes and goes', () => {
  const hedged = `${BASE}\nhedge: { after: 2s }\n`;
  expect(changes(BASE, hedged).changed).toEqual(['hedge (after, max_share)']);
  expect(changes(hedged, hedged.replace('2s', '3s')).changed).toEqual(['hedge (after)']);
  expect(changes(hedged, BASE).changed).toEqual(['hedge (after, max_share)']);
});

test('ports, files and memory stay what they were, and everything else is taken', () => {
  const wanted = `${BASE}
server: { port: 9, body_memory: 1MiB, body_limit: 1MiB, timeouts: { headers: 1s } }
log: { format: json, level: debug }
state: { file: none }
`;
  const running = configOf(BASE);
  const { config, needsRestart, changes: made } = adopt(running, configOf(wanted));
  expect(needsRestart).toEqual(['server.port', 'server.body_memory', 'server.timeouts', 'log.format', 'state.file']);
  expect(config.server).toMatchObject({ port: running.server.port, bodyLimitBytes: 1_048_576 });
  expect(config.log).toEqual({ ...running.log, level: 'debug' });
  expect(config.state).toEqual(running.state);
  expect(made.changed).toEqual(['server (body_limit)', 'log (level)']);
});

test('a fingerprint tells secrets, numbers and what is missing from each other', () => {
  const parts = [undefined, null, 1, '1', Number.POSITIVE_INFINITY, [], {}, new Map(), new Map([['a', 1]]), { a: 1 }];
  expect(new Set(parts.map(fingerprint)).size).toBe(parts.length - 1);
  expect(fingerprint(1)).toBe(fingerprint('1'));
});
