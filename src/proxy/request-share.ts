import { ProxyError } from '../errors.ts';
import { PRIORITIES, type Priority, type ShareTerms } from '../scheduler/shares/share.ts';
import type { ClientRequest } from './exchange.ts';

/**
 * What a request is entitled to: what its client is, or less urgent if the client says so by `x-sluice-priority`. Nobody
 * makes a request more urgent than its client may.
 * @throws ProxyError `bad_request`
 */
export function requestShare({ headers }: Pick<ClientRequest, 'headers'>, ofClient: ShareTerms): ShareTerms {
  const asked = headers['x-sluice-priority'];
  if (asked === undefined) return ofClient;
  const priority = PRIORITIES.find((each) => each === String(asked).trim().toLowerCase());
  if (priority === undefined) {
    throw new ProxyError('bad_request', 'The header x-sluice-priority is none of high, normal and low.');
  }
  return isBelow(priority, ofClient.priority) ? { ...ofClient, priority } : ofClient;
}

function isBelow(one: Priority, other: Priority): boolean {
  return PRIORITIES.indexOf(one) > PRIORITIES.indexOf(other);
}
