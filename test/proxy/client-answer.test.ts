import { expect, test } from 'vitest';
import { type ErrorBody, ProxyError } from '../../src/errors.ts';
import { ClientAnswer } from '../../src/proxy/client-answer.ts';
import { errorEvent } from '../../src/streaming/relay.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ReplyDouble } from '../support/reply-double.ts';

test('a refusal in band says when to come back, for it has no headers left to say it in', () => {
  const reply = new ReplyDouble();
  const clock = new FakeClock();
  const terms = {
    clock,
    requestId: 'req_1',
    earlyHeaders: () => ({}),
    errorEvent,
    errorBody: (body: ErrorBody) => body,
  };
  const answer = new ClientAnswer(reply, terms);
  answer.expect('stream', { streamKeepaliveMs: null, earlyHead: null });
  answer.beginStream({});
  answer.failInBand(new ProxyError('queue_wait_exceeded', 'Full.', { retryAfterMs: 1_200 }));
  expect(reply.text).toContain('"message":"Full. Please try again in 1.2s. Request id: req_1"');
  expect(reply.isEnded).toBe(true);
});
