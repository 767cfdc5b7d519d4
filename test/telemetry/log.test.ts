import { describe, expect, test } from 'vitest';
import type { RequestSummary } from '../../src/proxy/events.ts';
import { inJson, secretScrub } from '../../src/scrub.ts';
import { EventLog } from '../../src/telemetry/event-log.ts';
import { createLogger, type LogSettings } from '../../src/telemetry/logger.ts';

const SECRET = 'my"odd\\secret/with+signs';

function logging(settings: Partial<LogSettings> = {}) {
  const lines: string[] = [];
  const logger = createLogger(
    { level: 'trace', format: 'json', hasColors: false, ...settings },
    { write: (line) => lines.push(line) },
    secretScrub([SECRET, 'registered-key-1', 'registered-key-12', 'none'], inJson),
  );
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> };
}

const SUMMARY: RequestSummary = {
  id: 'req_1',
  client: 'web',
  modelAsked: 'gpt-4o',
  modelServed: 'gpt-4o-2024-11-20',
  provider: 'openai',
  key: 'a1',
  isStreaming: true,
  attempts: 2,
  queueMs: 12.345,
  firstByteMs: null,
  totalMs: 900.04,
  tokens: { estimatedInput: 10, estimatedOutput: 20, input: 11, cachedInput: 3, output: 19 },
  costUsd: 0.0042,
  status: 200,
  code: null,
  limit: 'org-a rpm',
  failures: ['openai/a2 gpt-4o: the upstream answered 500'],
};

describe('the request line', () => {
  test('is one line at info with every figure', () => {
    const { logger, lines, last } = logging();
    new EventLog(logger, { hasRequests: true }).requestEnded(SUMMARY);
    expect(lines.length).toBe(1);
    expect(last()).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      msg: 'request',
      id: 'req_1',
      client: 'web',
      model: 'gpt-4o',
      served: 'gpt-4o-2024-11-20',
      provider: 'openai',
      key: 'a1',
      stream: true,
      attempts: 2,
      queue_ms: 12.3,
      first_byte_ms: null,
      total_ms: 900,
      tokens: { estimated_in: 10, estimated_out: 20, in: 11, cached: 3, out: 19 },
      cost_usd: 0.0042,
      status: 200,
      code: null,
      limit: 'org-a rpm',
      failures: ['openai/a2 gpt-4o: the upstream answered 500'],
    });
  });

  test('can be switched off, refusals included', () => {
    const { logger, lines } = logging();
    const log = new EventLog(logger, { hasRequests: false });
    log.requestEnded(SUMMARY);
    log.requestRefused({
      id: 'r',
      client: null,
      method: 'GET',
      path: '/',
      status: 404,
      code: 'unknown_url',
      totalMs: 1,
    });
    expect(lines).toEqual([]);
  });

  test('keeps the text of a client in its field, on one line', () => {
    const { logger, lines, last } = logging();
    new EventLog(logger, { hasRequests: true }).requestEnded({ ...SUMMARY, modelAsked: 'a\n{"level":"fatal"}' });
    expect(lines.join('').trimEnd().split('\n').length).toBe(1);
    expect(last()).toMatchObject({ msg: 'request', model: 'a\n{"level":"fatal"}' });
  });
});

// In a terminal, a model called so could rewrite the lines above it.
describe('text of a client that would steer a terminal', () => {
  const model = 'a\u001b[2J\u009b31m\u202eb\u2028c\u0007\u007fd';

  test.each(['json', 'pretty'] as const)('is shown by its codes: %s', (format) => {
    const { logger, lines } = logging({ format });
    new EventLog(logger, { hasRequests: true }).requestEnded({ ...SUMMARY, modelAsked: model });
    const text = lines.join('').trimEnd();
    for (const character of text) expect(character.codePointAt(0)).toBeGreaterThanOrEqual(0x20);
    for (const code of ['u001b', 'u009b', 'u202e', 'u2028', 'u0007', 'u007f']) expect(text).toContain(`\\${code}`);
    for (const character of ['\u009b', '\u202e', '\u2028', '\u007f']) expect(text).not.toContain(character);
  });

  test('is what it was for whoever parses the line', () => {
    const { logger, last } = logging();
    new EventLog(logger, { hasRequests: true }).requestEnded({ ...SUMMARY, modelAsked: model });
    expect(last()).toMatchObject({ model });
  });

  test('is as harmless within the message of an error', () => {
    const { logger, lines } = logging({ format: 'pretty' });
    new EventLog(logger, { hasRequests: true }).failed({ requestId: 'r', error: new Error(model) });
    expect(lines.join('')).not.toContain('\u001b');
  });
});

describe('other events', () => {
  test('a refusal is a line at info', () => {
    const { logger, last } = logging();
    new EventLog(logger, { hasRequests: true }).requestRefused({
      id: 'r',
      client: null,
      method: 'GET',
      path: '/x',
      status: 404,
      code: 'unknown_url',
      totalMs: 1.26,
    });
    expect(last()).toMatchObject({ level: 'info', msg: 'request refused', status: 404, path: '/x', total_ms: 1.3 });
  });

  test('a route that changes is a warning', () => {
    const { logger, last } = logging();
    new EventLog(logger, { hasRequests: false }).routeChanged({
      provider: 'openai',
      key: 'a1',
      model: 'gpt-4o',
      from: 'open',
      to: 'resting',
      reason: 'wait',
      forMs: 1500.55,
    });
    expect(last()).toMatchObject({ level: 'warn', from: 'open', to: 'resting', reason: 'wait', for_ms: 1500.6 });
  });

  test('a bug is an error with its stack and cause', () => {
    const { logger, last } = logging();
    const error = new TypeError('broke', { cause: new Error('deeper') });
    new EventLog(logger, { hasRequests: false }).failed({ requestId: 'req_1', error });
    expect(last()).toMatchObject({ level: 'error', id: 'req_1', error: { type: 'TypeError' } });
    expect(JSON.stringify(last())).toContain('log.test.ts');
    expect(JSON.stringify(last())).toContain('deeper');
  });
});

describe('no secret leaves the log', () => {
  test.each([
    ['in a message', (log: ReturnType<typeof logging>['logger']) => log.trace(`key ${SECRET} and registered-key-12`)],
    [
      'in a field',
      (log: ReturnType<typeof logging>['logger']) => log.debug({ deep: { er: [SECRET, 'registered-key-12'] } }, 'x'),
    ],
    [
      'in an error',
      (log: ReturnType<typeof logging>['logger']) =>
        log.error({ error: new Error(`${SECRET} registered-key-12`) }, 'x'),
    ],
    [
      'in a URL',
      (log: ReturnType<typeof logging>['logger']) => log.info(`?k=${encodeURIComponent(SECRET)}&l=registered-key-12`),
    ],
  ])('%s', (_where, write) => {
    for (const format of ['json', 'pretty'] as const) {
      const { logger, lines } = logging({ format });
      write(logger);
      expect(lines.join('')).toContain('[secret]');
      for (const part of [SECRET, 'odd\\', 'signs', 'registered', '-12']) expect(lines.join('')).not.toContain(part);
    }
  });
});

test('a quiet level writes nothing below it', () => {
  const { logger, lines } = logging({ level: 'warn' });
  logger.info('x');
  expect(lines).toEqual([]);
});

test('the pretty format is text for eyes: a line a request, of fields that say something', () => {
  const { logger, lines } = logging({ format: 'pretty' });
  new EventLog(logger, { hasRequests: true }).requestEnded({ ...SUMMARY, code: null });
  expect(lines.join('')).toMatch(/^\[\d\d:\d\d:\d\d\.\d+\] INFO: request \{"id":.*\}\n$/);
  expect(lines.join('')).not.toContain('null');
});

test('the pretty format shows the stack of a bug line by line', () => {
  const { logger, lines } = logging({ format: 'pretty' });
  new EventLog(logger, { hasRequests: true }).failed({ requestId: 'req_1', error: new Error('a bug') });
  expect(lines.join('')).toMatch(/ERROR: unexpected failure.*\n.*Error: a bug\n\s+at /s);
});
