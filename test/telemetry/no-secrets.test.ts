import { expect, test } from 'vitest';
import { ProxyError } from '../../src/errors.ts';
import { inJson, secretScrub } from '../../src/scrub.ts';
import { EventLog } from '../../src/telemetry/event-log.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { CLIENT_KEY, CLIENTS, type RawAnswer, RawClient, requestText, startServer } from '../http/support.ts';

const UPSTREAM_KEY = 'sk-proj-upstream0123456789';
const WRONG_KEY = 'sk-wrong0123456789abcdef';

test('no key of any kind is in a log line, an answer or its headers, at any level and whatever goes wrong', async () => {
  const lines: string[] = [];
  const logger = createLogger(
    { level: 'trace', format: 'json', hasColors: false },
    { write: (line) => lines.push(line) },
    secretScrub([UPSTREAM_KEY, CLIENT_KEY], inJson),
  );
  const failures = [
    new Error(`connect failed with authorization: Bearer ${UPSTREAM_KEY}`),
    new ProxyError('upstream_error', 'Every attempt failed.', { cause: new Error(UPSTREAM_KEY) }),
    Object.assign(new Error('x'), { request: { headers: { authorization: UPSTREAM_KEY } } }),
  ];
  const { port } = await startServer({
    services: { clients: CLIENTS, events: new EventLog(logger, { hasRequests: true }) },
    chat: () => Promise.reject(failures.shift()),
  });
  const requests = [
    ...failures.map(() => requestText({ headers: { 'x-api-key': CLIENT_KEY } })),
    requestText({ headers: { authorization: `Bearer ${WRONG_KEY}` } }),
    requestText({ path: `/v1/chat/completions?key=${WRONG_KEY}` }),
    requestText({
      method: 'GET',
      path: `/v1/models?api_key=${CLIENT_KEY}`,
      headers: { 'x-request-id': `${WRONG_KEY}!` },
    }),
    requestText({ headers: { 'x-api-key': CLIENT_KEY, 'content-type': `text/${WRONG_KEY}` } }),
    requestText({ headers: { 'x-api-key': CLIENT_KEY, 'content-length': '9', 'transfer-encoding': WRONG_KEY } }),
  ];
  const answers: (RawAnswer | null)[] = [];
  for (const request of requests) answers.push(await new RawClient(port).write(request).answer());

  expect(answers.map((each) => each?.status)).toEqual([500, 502, 500, 401, 401, 401, 415, 400]);
  const shown = JSON.stringify(answers.map((each) => [each?.body, ...(each?.headers ?? [])]));
  for (const secret of [UPSTREAM_KEY, CLIENT_KEY, WRONG_KEY]) {
    expect(shown).not.toContain(secret);
    expect(lines.join('')).not.toContain(secret);
  }
  expect(lines.length).toBeGreaterThanOrEqual(6);
});
