import type { JsonObject, Operation } from '../../providers/wire.ts';
import type { ClientRequest } from '../exchange.ts';

/** Responses are kept by their vendor unless it is told not to; a count is nothing worth a second request. */
const OPERATIONS: ReadonlySet<Operation> = new Set(['chat', 'completions', 'embeddings', 'messages']);

/**
 * Whether an upstream does nothing for a request but answer it. One that it is to keep would be there twice, and a key
 * against repeats speaks of one sending.
 */
export function mayBeSentTwice(
  { operation, headers }: Pick<ClientRequest, 'operation' | 'headers'>,
  body: JsonObject | null,
): boolean {
  return OPERATIONS.has(operation) && headers['idempotency-key'] === undefined && body?.['store'] !== true;
}
