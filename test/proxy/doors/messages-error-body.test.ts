import { expect, test } from 'vitest';
import { ProxyError } from '../../../src/errors.ts';
import { countTokensDoor, messagesDoor } from '../../../src/proxy/doors/messages/messages.ts';

test.each([messagesDoor, countTokensDoor])('$operation: an error as a whole body has the form of that API', (door) => {
  const error = new ProxyError('upstream_timeout', 'No answer.');
  expect(door.errorBody?.(error.toBody(), error.status)).toEqual({
    type: 'error',
    error: { type: 'timeout_error', message: 'No answer.', details: { error_code: 'upstream_timeout' } },
    request_id: null,
  });
});
