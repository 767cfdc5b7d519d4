import type { ClientRequest } from '../../proxy/exchange.ts';

/** The endpoints that models answer, without their `/v1`: base URLs are written with and without it. */
export const OPERATION_PATHS: readonly (readonly [operation: ClientRequest['operation'], path: string])[] = [
  ['chat', '/chat/completions'],
  ['completions', '/completions'],
  ['embeddings', '/embeddings'],
  ['responses', '/responses'],
  ['messages', '/messages'],
  ['count_tokens', '/messages/count_tokens'],
];
