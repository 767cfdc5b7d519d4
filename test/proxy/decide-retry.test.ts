import { describe, expect, it } from 'vitest';
import {
  type Again,
  decideRetry,
  type FailedAttempt,
  type RetryDecision,
  type RetrySituation,
} from '../../src/proxy/decide-retry.ts';

const EXPLAINED = { error: { message: 'said the upstream', type: 'invalid_request_error', param: 'x', code: 'c' } };

const FAILED: FailedAttempt = {
  outcome: { kind: 'failed' },
  answer: null,
  transport: null,
  isSent: true,
  reason: 'the connection broke',
};

const SITUATION: RetrySituation = {
  attempts: 1,
  maxAttempts: 3,
  hasBegun: false,
  hasOtherRoute: true,
  hasOtherTarget: true,
  hasBudget: true,
  isRepeat: false,
  explain: () => EXPLAINED,
};

function decide(failed: Partial<FailedAttempt>, situation: Partial<RetrySituation> = {}): RetryDecision {
  return decideRetry({ ...FAILED, ...failed }, { ...SITUATION, ...situation });
}

function answered(status: number): Pick<FailedAttempt, 'answer'> {
  return { answer: { status } };
}

function errorOf(failed: Partial<FailedAttempt>, situation: Partial<RetrySituation> = { attempts: 3 }) {
  const decision = decide(failed, situation);
  if (decision.kind !== 'stop') throw new Error('it was to be tried again');
  return decision.error;
}

function again(decision: Partial<Again>): Again {
  return { kind: 'again', exclude: 'nothing', notBeforeMs: 0, isCounted: false, ...decision };
}

const WAIT = { kind: 'wait', retryAfterMs: 5_000, readings: [] } as const;
const EXHAUSTED = { kind: 'exhausted', retryAfterMs: null } as const;
const CAPACITY = { kind: 'capacity', retryAfterMs: 9_000 } as const;
const RAMP = { kind: 'ramp' } as const;
const TOO_LARGE = { kind: 'never_fits', unit: 'input_tokens', limit: 8_000 } as const;
const NO_KEY = { kind: 'disabled', reason: 'credentials', scope: 'key' } as const;
const NO_MODEL = { kind: 'disabled', reason: 'model', scope: 'key_model' } as const;
const CLIENT = { kind: 'client' } as const;
const CONTEXT = { kind: 'context' } as const;

const ALONE = { hasOtherRoute: false, hasOtherTarget: false };
const OTHER_KEY = { hasOtherTarget: false };

describe('another attempt', () => {
  it.each([
    ['a spent limit waits in the queue, uncounted', WAIT, {}, again({})],
    ['a spent day as well', EXHAUSTED, ALONE, again({})],
    ['a bad key is left to other routes, uncounted', NO_KEY, OTHER_KEY, again({ exclude: 'route' })],
    ['a model that the key may not use as well', NO_MODEL, OTHER_KEY, again({ exclude: 'route' })],
    ['a request too large for one quota as well', TOO_LARGE, OTHER_KEY, again({ exclude: 'route' })],
    ['a judgement of the request asks another target', CLIENT, {}, again({ exclude: 'target', isCounted: true })],
    ['an overlong prompt asks another target', CONTEXT, {}, again({ exclude: 'target', isCounted: true })],
    ['a full vendor is left for another target', CAPACITY, {}, again({ exclude: 'target', isCounted: true })],
    ['a full vendor is else tried with another key', CAPACITY, OTHER_KEY, again({ exclude: 'route', isCounted: true })],
    ['a full vendor alone is given its time', CAPACITY, ALONE, again({ notBeforeMs: 9_000, isCounted: true })],
    ['a vendor that is too busy alone is given a pause', RAMP, ALONE, again({ notBeforeMs: 500, isCounted: true })],
    ['a failure goes to another route', { kind: 'failed' }, {}, again({ exclude: 'route', isCounted: true })],
    ['a failure alone is given a pause', { kind: 'failed' }, ALONE, again({ notBeforeMs: 500, isCounted: true })],
  ] as const)('%s', (...[, outcome, situation, decision]) => {
    expect(decide({ outcome }, situation)).toEqual(decision);
  });

  it('pauses longer each time', () => {
    expect(decide({}, { ...ALONE, attempts: 3, maxAttempts: 5 })).toMatchObject({ notBeforeMs: 2_000 });
    expect(decide({ outcome: { kind: 'capacity', retryAfterMs: null } }, ALONE)).toMatchObject({ notBeforeMs: 500 });
  });

  it('is free when nothing had been sent, even without budget', () => {
    const decision = decide({ isSent: false, transport: 'connect' }, { hasBudget: false, ...OTHER_KEY });
    expect(decision).toEqual(again({ exclude: 'route' }));
  });

  it('asks another target when no connection stood: the other keys lead to the same server', () => {
    expect(decide({ isSent: false, transport: 'connect' })).toEqual(again({ exclude: 'target' }));
  });

  it('asks another target when it is the last, whatever keys are left here', () => {
    expect(decide({}, { attempts: 2 })).toEqual(again({ exclude: 'target', isCounted: true }));
    expect(decide({}, { attempts: 2, ...OTHER_KEY })).toEqual(again({ exclude: 'route', isCounted: true }));
  });

  it('needs budget where it adds to the load', () => {
    expect(decide({}, { hasBudget: false }).kind).toBe('stop');
    expect(decide({}, { isRepeat: true, hasOtherTarget: false }).kind).toBe('stop');
    expect(decide({}, { isRepeat: true, hasOtherTarget: true })).toMatchObject({ kind: 'again', exclude: 'target' });
    expect(decide({ outcome: WAIT }, { isRepeat: true }).kind).toBe('again');
    expect(decide({ outcome: WAIT }, { hasBudget: false }).kind).toBe('again');
  });

  it('leaves a target that says nothing for another one, and else asks another key', () => {
    const silent = { transport: 'first_byte_timeout' } as const;
    expect(decide(silent, { attempts: 1, hasOtherTarget: true })).toMatchObject({ exclude: 'target', isCounted: true });
    expect(decide(silent, { attempts: 1, hasOtherTarget: false })).toMatchObject({ exclude: 'route' });
  });

  it('is never made once the client has received something', () => {
    expect(errorOf({}, { hasBegun: true }).code).toBe('upstream_error');
  });

  it('is never made when our own shutdown ended the call', () => {
    expect(errorOf({ transport: 'aborted' }, {}).code).toBe('shutting_down');
  });

  it('is never made when the time for the whole answer is up', () => {
    expect(errorOf({ transport: 'total_timeout' }, {}).code).toBe('upstream_timeout');
  });
});

describe('the error in the end', () => {
  it.each([
    ['upstream_overloaded', { outcome: WAIT, ...answered(429) }],
    ['upstream_overloaded', { outcome: EXHAUSTED, ...answered(429) }],
    ['upstream_overloaded', { outcome: CAPACITY, ...answered(503) }],
    ['upstream_overloaded', { outcome: RAMP, ...answered(503) }],
    ['upstream_error', answered(500)],
    ['upstream_error', { transport: 'broken' }],
    ['upstream_timeout', { transport: 'first_byte_timeout' }],
    ['upstream_timeout', { transport: 'connect_timeout' }],
    ['upstream_timeout', answered(504)],
    ['upstream_timeout', answered(408)],
    ['upstream_error', { outcome: NO_KEY, ...answered(401) }],
  ] as const)('is %s for %j', (code, failed) => {
    const error = errorOf(failed);
    expect(error.code).toBe(code);
    expect(error.message).toBe('No answer after 3 attempts: the connection broke.');
    expect(error.retry).toBe('never');
  });

  it('counts one attempt as one', () => {
    expect(errorOf({}, { attempts: 1, maxAttempts: 1 }).message).toContain('after 1 attempt:');
  });

  it.each([400, 404, 422])("is the upstream's own %d when no other target is left to ask", (status) => {
    const error = errorOf({ outcome: CLIENT, ...answered(status) }, { hasOtherTarget: false });
    expect([error.status, error.origin, error.toBody()]).toEqual([status, 'client', EXPLAINED]);
  });

  it.each([401, 403, 413, 200])('is 400 and never the %d of the upstream', (status) => {
    expect(errorOf({ outcome: CLIENT, ...answered(status) }, ALONE).status).toBe(400);
    expect(errorOf({ outcome: CLIENT, answer: null }, ALONE).status).toBe(400);
  });

  it('tells a prompt that is too long in the way that clients act upon', () => {
    const error = errorOf({ outcome: CONTEXT, ...answered(400) }, ALONE);
    expect([error.code, error.details.param, error.message]).toEqual([
      'context_length_exceeded',
      'messages',
      'said the upstream',
    ]);
  });

  it('names the limit that is too small, if the upstream did', () => {
    expect(errorOf({ outcome: TOO_LARGE }, ALONE).message).toContain('It admits 8000 input tokens at most.');
    const unnamed = errorOf({ outcome: { kind: 'never_fits', unit: null, limit: null } }, ALONE);
    expect([unnamed.code, unnamed.message]).toEqual([
      'request_exceeds_limit',
      expect.not.stringContaining('admits at'),
    ]);
    expect(unnamed.message).not.toContain('at most');
  });

  it('says that the model is unknown when every key says so', () => {
    expect(errorOf({ outcome: NO_MODEL, ...answered(404) }, ALONE).code).toBe('model_not_found');
  });

  it.each([
    [NO_KEY, 401],
    [NO_MODEL, 403],
    [NO_MODEL, 429],
  ])('never speaks of our keys as if they were the client‘s: %j', (outcome, status) => {
    const error = errorOf({ outcome, ...answered(status) }, ALONE);
    expect([error.code, error.status]).toEqual(['no_usable_key', 503]);
    expect(error.message).not.toContain('said the upstream');
  });
});
