import { expect, test } from 'vitest';
import { ClientAnswer } from '../../src/proxy/client-answer.ts';
import { QueueWait } from '../../src/proxy/queue-wait.ts';
import type { Ending, Lease } from '../../src/scheduler/lease.ts';
import type { TicketRequest } from '../../src/scheduler/ticket.ts';
import { errorEvent } from '../../src/streaming/relay.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ReplyDouble } from '../support/reply-double.ts';

test('a lease that was on its way when the client left is given back unused', async () => {
  const reply = new ReplyDouble();
  const answer = new ClientAnswer(reply, {
    clock: new FakeClock(),
    requestId: 'r',
    earlyHeaders: () => ({}),
    errorEvent,
    errorBody: (body) => body,
  });
  const requests: TicketRequest[] = [];
  const scheduler = {
    submit: (request: TicketRequest) => {
      requests.push(request);
      return null;
    },
    cancel: () => undefined,
    again: () => undefined,
    resume: () => undefined,
  };
  const queue = new QueueWait({ scheduler, answer, renewed: () => null });
  const turn = queue.enter({} as TicketRequest);
  reply.leave();
  expect(await turn).toEqual({ kind: 'gone' });
  const endings: Ending[] = [];
  requests[0]?.onLease({
    end: (ending: Ending) => endings.push(ending),
    ticket: { waitsFor: null },
  } as unknown as Lease);
  requests[0]?.onRejection({ kind: 'shutting_down' });
  expect(endings).toEqual([{ charged: 'unsent', report: { kind: 'nothing' } }]);
});
