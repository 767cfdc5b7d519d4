import { describe, expect, it } from 'vitest';
import type { FaultKind } from '../../src/simulator/faults.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { sendRaw } from './raw-client.ts';
import { ASK, start } from './running.ts';

/** What a client sees of one faulty request, byte for byte, and what the vendor booked. */
const faulty = async (kind: FaultKind, stream: boolean, until?: string) => {
  const organizations = [{ keys: ['sk-sim-1'], limits: { rpm: 10, tpm: 1000 } }];
  const { simulator, url } = await start({ faults: [{ kind }], organizations });
  const waits = until === undefined ? {} : { until };
  const answer = await sendRaw(url, { body: { ...ASK, stream, max_tokens: 92 }, ...waits });
  if (until !== undefined) {
    while (simulator.ledger().inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const ledger = simulator.ledger();
  const [requests, tokens] = ledger.limits;
  expect(ledger.faults).toEqual({ [kind]: 1 });
  return { ...answer, ledger, charged: [requests?.charged, tokens?.charged] };
};

const statusLine = (text: string): string => text.split('\r\n', 1)[0] ?? '';

describe.each([true, false])('before the limiter, streamed: %s', (stream) => {
  it.each([
    ['refuse', '', 'reset', ''],
    ['garbage', '\u0000\u0001 this is not HTTP ', 'closed', ''],
    ['html_502', 'HTTP/1.1 502 Bad Gateway', 'closed', '<h1>502 Bad Gateway</h1>'],
    ['401', 'HTTP/1.1 401 Unauthorized', 'closed', '"code":"invalid_api_key"'],
    ['503', 'HTTP/1.1 503 Service Unavailable', 'closed', 'currently overloaded'],
    ['slow_down', 'HTTP/1.1 503 Service Unavailable', 'closed', 'Slow Down'],
    ['spend_429', 'HTTP/1.1 429 Too Many Requests', 'closed', 'organization_spend_limit_exceeded'],
    ['quota_429', 'HTTP/1.1 429 Too Many Requests', 'closed', '"code":"insufficient_quota"'],
    ['bare_429', 'HTTP/1.1 429 Too Many Requests', 'closed', 'Too many requests.'],
    ['lying_retry_after', 'HTTP/1.1 429 Too Many Requests', 'closed', 'Please try again in 20ms.'],
  ] as const)('%s', async (kind, ...expected) => {
    const { text, end, ledger } = await faulty(kind, stream);
    const [line, ending, part] = expected;
    expect(statusLine(text)).toBe(line);
    expect(end).toBe(ending);
    expect(text).toContain(part);
    expect(ledger).toMatchObject({ admitted: 0, inFlight: 0 });
  });
});

it('a bare 429 gives nothing to go by, a lying one too little', async () => {
  expect((await faulty('bare_429', false)).text).not.toMatch(/ratelimit|retry-after|try again/);
  expect((await faulty('lying_retry_after', false)).text).toMatch(/retry-after: 1\r\nretry-after-ms: 20\r\n/);
});

describe('after the limiter, before any content', () => {
  it.each([
    ['500', true, 'HTTP/1.1 500', 'server_error', 'closed'],
    ['500', false, 'HTTP/1.1 500', 'server_error', 'closed'],
    ['reset_before_body', true, 'HTTP/1.1 200', '\r\n\r\n', 'reset'],
    ['reset_before_body', false, 'HTTP/1.1 200', '\r\n\r\n', 'reset'],
    ['role_then_reset', true, 'HTTP/1.1 200', '"delta":{"role":"assistant"', 'reset'],
    ['error_in_200', true, 'HTTP/1.1 200', 'application/json', 'closed'],
    ['error_in_200', false, 'HTTP/1.1 200', '{"error":{', 'closed'],
    ['stream_error_first_event', true, 'HTTP/1.1 200', 'data: {"error":{', 'closed'],
    ['stream_error_first_event', false, 'HTTP/1.1 200', '{"error":{', 'closed'],
    ['stream_error_late', false, 'HTTP/1.1 200', '{"error":{', 'closed'],
  ] as [FaultKind, boolean, string, string, string][])('%s, streamed: %s', async (kind, stream, ...expected) => {
    const { text, end, ledger, charged } = await faulty(kind, stream);
    const [status, part, ending] = expected;
    expect(text.startsWith(status)).toBe(true);
    expect(text).toContain(part);
    expect(text).not.toContain('This answer');
    expect(end).toBe(ending);
    expect(ledger).toMatchObject({ admitted: 1, failed: 1, inFlight: 0 });
    expect(charged).toEqual([1, 0]);
  });
});

describe('in the middle of a stream', () => {
  it.each([
    ['reset_within_body', ' was', 'reset'],
    ['stream_error_late', 'data: {"error":{', 'closed'],
    ['cut_json', '"object":"chat.compl\r\n', 'closed'],
  ] as const)('%s', async (kind, part, ending) => {
    const { text, end, ledger, charged } = await faulty(kind, true);
    expect(text).toContain('"content":" was"');
    expect(text).toContain(part);
    expect(text).not.toContain('[DONE]');
    expect(end).toBe(ending);
    expect(ledger.requests).toMatchObject([{ outcome: 'failed', output: 3, fault: kind }]);
    expect(charged).toEqual([1, 11]);
  });
});

describe('in the middle of a whole answer', () => {
  it.each([
    ['reset_within_body', 'reset'],
    ['role_then_reset', 'reset'],
    ['cut_json', 'closed'],
  ] as const)('%s', async (kind, ending) => {
    const { text, end, ledger } = await faulty(kind, false);
    expect(text).toContain('{"id":"chatcmpl-');
    expect(text).not.toContain('"usage"');
    expect(end).toBe(ending);
    expect(ledger.failed).toBe(1);
  });
});

describe('silence', () => {
  it('stalls after some tokens until the client leaves', async () => {
    const { text, ledger, charged } = await faulty('stall', true, '" was"');
    expect(text).toContain('" was"');
    expect(ledger.requests).toMatchObject([{ outcome: 'aborted', output: 3 }]);
    expect(charged).toEqual([1, 11]);
  });

  it('stalls within a whole answer', async () => {
    const { ledger } = await faulty('stall', false, '{"id":"chatcmpl-');
    expect(ledger).toMatchObject({ aborted: 1, inFlight: 0 });
  });

  it('hangs without a head until the client leaves', async () => {
    const { url, simulator } = await start({ faults: [{ kind: 'hang' }] });
    const stop = new AbortController();
    const init = { method: 'POST', headers: { authorization: 'Bearer sk-sim-1' }, body: JSON.stringify(ASK) };
    const answer = fetch(`${url}/v1/chat/completions`, { ...init, signal: stop.signal });
    while (simulator.ledger().inFlight === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await expect(answer).rejects.toThrow();
    while (simulator.ledger().inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(simulator.ledger().requests).toMatchObject([{ outcome: 'aborted', output: 0, input: 8 }]);
  });

  it('delays a slow head', async () => {
    const clock = new FakeClock();
    const { chat, simulator } = await start({ faults: [{ kind: 'slow_head' }, { kind: '500' }] }, clock);
    const answer = chat();
    while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(4999);
    expect(simulator.ledger().completed).toBe(0);
    clock.advance(1);
    expect((await answer).status).toBe(200);
    simulator.setFaults([{ kind: 'slow_head', delayMs: 0 }]);
    expect((await chat()).status).toBe(200);
  });
});

it('JSON instead of a stream is a whole answer to a streamed request', async () => {
  const { text, ledger } = await faulty('json_instead_of_stream', true);
  expect(text).toContain('content-type: application/json');
  expect(text).toContain('"object":"chat.completion"');
  expect(ledger.completed).toBe(1);
});

it('a fault after more tokens than there are still comes', async () => {
  const { url } = await start({ faults: [{ kind: 'cut_json', afterTokens: 99 }], answer: { outputTokens: 2 } });
  const { text } = await sendRaw(url, { body: { ...ASK, stream: true } });
  expect(text).toContain('" answer"');
  expect(text).not.toContain('[DONE]');
  const whole = await sendRaw(url, { body: ASK });
  expect(whole.text).not.toContain('"usage"');
});

describe('when a fault happens', () => {
  const statuses = async (count: number, ask: () => Promise<{ status: number }>): Promise<number[]> => {
    const all: number[] = [];
    for (let sent = 0; sent < count; sent++) all.push((await ask()).status);
    return all;
  };

  it('is up to its number', async () => {
    const { chat } = await start({
      faults: [
        { kind: '500', nth: [2, 4] },
        { kind: '503', nth: [1] },
      ],
    });
    // The second rule only sees what the first lets pass.
    expect(await statuses(5, chat)).toEqual([503, 500, 200, 500, 200]);
  });

  it('is up to its key and model', async () => {
    const { chat } = await start({
      organizations: [{ keys: [{ key: 'sk-sim-1', name: 'bad' }, 'sk-sim-2'] }],
      faults: [{ kind: '500', keys: ['bad'], models: ['gpt-4o'] }],
    });
    expect((await chat()).status).toBe(500);
    expect((await chat({ model: 'gpt-4o-mini' })).status).toBe(200);
    expect((await chat({}, 'sk-sim-2')).status).toBe(200);
  });

  it('is up to the time', async () => {
    const clock = new FakeClock();
    const { chat } = await start({ faults: [{ kind: '500', fromMs: 1000, untilMs: 2000 }] }, clock);
    const timed = async (): Promise<{ status: number }> => {
      const answer = await chat();
      clock.advance(1000);
      return answer;
    };
    expect(await statuses(3, timed)).toEqual([200, 500, 200]);
  });

  it('is up to chance', async () => {
    const { chat, simulator } = await start({ faults: [{ kind: '500', rate: 0.5 }] });
    expect((await chat()).status).toBe(200);
    simulator.setFaults([{ kind: '500', rate: 0.51 }]);
    expect((await chat()).status).toBe(500);
  });
});
