import { format, inspect } from 'node:util';
import { serialize } from 'node:v8';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/config/secret.ts';

describe('a secret', () => {
  const secret = new Secret('sk-hidden');

  it('is given on demand only', () => {
    expect(secret.reveal()).toBe('sk-hidden');
  });

  it.each([
    ['text', () => `${secret}`],
    ['JSON', () => JSON.stringify({ secret })],
    ['inspection', () => inspect({ deep: [secret] }, { showHidden: true, depth: 9 })],
    ['formatting', () => format('%s %o %j', secret, secret, secret)],
    ['its properties', () => JSON.stringify(Object.entries(secret))],
    ['a copy', () => JSON.stringify({ ...secret })],
    ['a sum of texts', () => `${'key: '.concat(String(secret))}${[secret].join()}`],
    ['inspection that asks for the bare object', () => inspect(secret, { customInspect: false, showHidden: true })],
    ['its names', () => Reflect.ownKeys(secret).map(String).join()],
    ['a deep copy', () => inspect(structuredClone({ secret }), { showHidden: true })],
    ['bytes for another process', () => serialize({ secret }).toString('latin1')],
    ['a message to a worker', () => inspect(sent({ secret }), { showHidden: true })],
    ['the cause of an error', () => inspect(new Error('failed', { cause: secret }))],
    ['the properties of an error', () => inspect(Object.assign(new Error('failed'), { secret, at: { secret } }))],
    ['a Map and a Set', () => inspect([new Map([['a', secret]]), new Set([secret])], { depth: 9 })],
    ['a line of the log', () => logged({ secret, deep: { keys: [secret] }, err: new Error('x', { cause: secret }) })],
  ])('does not show in %s', (_where, show) => {
    expect(show()).not.toContain('hidden');
  });
});

function sent(message: unknown): unknown {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(message);
  const received = receiveMessageOnPort(port2);
  port1.close();
  return received;
}

function logged(fields: object): string {
  let line = '';
  pino({}, { write: (text: string) => (line += text) }).info(fields, 'something');
  return line;
}
