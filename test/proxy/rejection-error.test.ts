import { describe, expect, test } from 'vitest';
import type { ProxyError } from '../../src/errors.ts';
import { rejectionError as errorOf } from '../../src/proxy/rejection-error.ts';
import type { BindingLimit, Rejection } from '../../src/scheduler/rejection.ts';

const rejectionError = (rejection: Rejection): ProxyError => errorOf(rejection, { now: () => 0 });

const TPM: BindingLimit = {
  quota: 'org-a gpt-4o',
  name: 'tpm',
  unit: 'tokens',
  windowMs: 60_000,
  capacity: 30_000,
  asked: 1_200.4,
};

type Wait = Extract<Rejection, { kind: 'queue_full' | 'wait_exceeded' | 'client_limit' }>;

function waiting(changes: Partial<Wait> = {}): Wait {
  const kind = 'wait_exceeded';
  return {
    kind,
    predictedWaitMs: 45_000,
    retryAfterMs: 15_000,
    limit: TPM,
    hasWaited: false,
    isResting: false,
    ...changes,
  };
}

/** What LangChain takes for "never again". */
const STOP_WORDS = /usage quota|quota exhausted|exceeded your .* quota|billing|will reset at/i;

describe('a rejection that is a promise', () => {
  test('says which limit binds, what was asked, what is possible and when to return', () => {
    const error = rejectionError(waiting());
    expect(error).toMatchObject({ code: 'queue_wait_exceeded', status: 429, retry: 'promise' });
    expect(error.message).toBe(
      'The request would have to wait about 45 s, too long to promise a start within the time that it may wait. ' +
        'The limit tpm of org-a gpt-4o allows 30,000 tokens per minute; this request takes 1,201.',
    );
    expect(error.details).toMatchObject({ retryAfterMs: 15_000, limit: 'org-a gpt-4o tpm' });
  });

  test('of a full queue and of a limit of the client have codes of their own', () => {
    expect(rejectionError(waiting({ kind: 'queue_full' }))).toMatchObject({ code: 'queue_full', retry: 'promise' });
    expect(rejectionError(waiting({ kind: 'client_limit' }))).toMatchObject({ code: 'client_rate_limit_exceeded' });
  });

  test('that comes after the whole wait says so', () => {
    expect(rejectionError(waiting({ hasWaited: true })).message).toMatch(/has waited as long as it may/);
  });

  test('names the outage, and no limit, where everything rests', () => {
    const { message } = rejectionError(waiting({ hasWaited: true, isResting: true }));
    expect(message).toMatch(/Every key that could serve this model rests after failures or refusals/);
    expect(message).not.toMatch(/The limit/);
    expect(message).not.toMatch(STOP_WORDS);
  });

  test('names no limit where none is known', () => {
    const error = rejectionError(waiting({ limit: null }));
    expect(error.message).toMatch(/within the time that it may wait\.$/);
    expect(error.details).not.toHaveProperty('limit');
  });

  test('holds no word on which clients stop for good', () => {
    for (const kind of ['queue_full', 'wait_exceeded', 'client_limit'] as const) {
      expect(rejectionError(waiting({ kind })).message).not.toMatch(STOP_WORDS);
    }
  });
});

describe('a rejection that is no promise', () => {
  test('tells the wait but asks not to retry', () => {
    const error = rejectionError(waiting({ predictedWaitMs: 400_000, retryAfterMs: null }));
    expect(error).toMatchObject({ retry: 'never' });
    expect(error.details.retryAfterMs).toBe(400_000);
    expect(error.message).toMatch(/about 6 min 40 s, /);
  });

  test('tells no time where nobody knows it', () => {
    const error = rejectionError(waiting({ predictedWaitMs: Number.POSITIVE_INFINITY, retryAfterMs: null }));
    expect(error).toMatchObject({ retry: 'never' });
    expect(error.details).not.toHaveProperty('retryAfterMs');
    expect(error.message).toMatch(/for an unknown time/);
  });

  test('is what a promise becomes whose time lies more than a minute ahead', () => {
    expect(rejectionError(waiting({ retryAfterMs: 60_001 })).retry).toBe('never');
  });

  test('of a day limit uses the words on which clients stop', () => {
    const limit: BindingLimit = { ...TPM, name: 'rpd', unit: 'requests', windowMs: 86_400_000 };
    const error = rejectionError(waiting({ predictedWaitMs: 30_000_000, retryAfterMs: null, limit }));
    expect(error.message).toMatch(STOP_WORDS);
    expect(error.message).toMatch(/30,000 requests per day/);
    expect(error.message).toMatch(/about 8 h 20 min, /);
  });
});

describe('a rejection for good', () => {
  test.each([
    ['per minute', 60_000],
    ['per hour', 3_600_000],
    ['per second', 1_000],
    ['per 10 s', 10_000],
    ['per 1 d 1 h', 90_000_000],
  ])('names what a limit %s admits at most', (words, windowMs) => {
    const error = rejectionError({ kind: 'exceeds_limit', limit: { ...TPM, windowMs, asked: 40_000 } });
    expect(error).toMatchObject({ code: 'request_exceeds_limit', status: 400, retry: 'never' });
    expect(error.message).toBe(
      'The request needs at least 40,000 tokens, but the limit tpm of org-a gpt-4o never admits more than ' +
        `30,000 tokens ${words}. Shorten the messages or lower max_completion_tokens.`,
    );
  });

  test('counts what runs at the same time without a window', () => {
    const limit: BindingLimit = { ...TPM, name: 'concurrency', unit: 'in_flight', windowMs: 0, capacity: 4, asked: 1 };
    expect(rejectionError(waiting({ limit })).message).toMatch(/allows 4 requests at the same time; this request/);
  });

  test('counts one as one', () => {
    const one: BindingLimit = { ...TPM, capacity: 1 };
    const slot: BindingLimit = { ...one, name: 'concurrency', unit: 'in_flight', windowMs: 0 };
    expect(rejectionError(waiting({ limit: one })).message).toMatch(/allows 1 token per minute; this request/);
    expect(rejectionError(waiting({ limit: slot })).message).toMatch(/allows 1 request at the same time; this request/);
  });

  test('without any key asks for the operator', () => {
    expect(rejectionError({ kind: 'no_usable_route' })).toMatchObject({ code: 'no_usable_key', status: 503 });
  });

  test('at the end of the server says so', () => {
    expect(rejectionError({ kind: 'shutting_down' })).toMatchObject({ code: 'shutting_down', retry: 'soon' });
  });
});

describe('a rejection of what might have gone elsewhere', () => {
  const keepPlace = (now: number): number => 20_000 - now;

  test('promises nothing before it is told', () => {
    expect(rejectionError(waiting({ retryAfterMs: null, keepPlace }))).toMatchObject({ retry: 'never' });
  });

  test('is told with the place that is kept then', () => {
    const rejection = waiting({ retryAfterMs: null, keepPlace });
    const told = errorOf(rejection, { now: () => 5_000 }).promised();
    expect(told).toMatchObject({ code: 'queue_wait_exceeded', retry: 'promise', details: { retryAfterMs: 15_000 } });
  });

  test('says so where no place can be kept', () => {
    const told = rejectionError(waiting({ retryAfterMs: null, keepPlace: () => null })).promised();
    expect(told).toMatchObject({ retry: 'never', details: { retryAfterMs: 45_000 } });
  });
});
