import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { ProxyError } from '../errors.ts';
import type { Client } from '../proxy/exchange.ts';

/** Whoever calls where nobody has to say who they are. */
const ANONYMOUS: Client = { name: 'anonymous' };

/** Where vendors' SDKs put a key when it is not in `authorization`. */
const KEY_HEADERS = ['x-api-key', 'api-key', 'x-goog-api-key'];

const BEARER = /^bearer +/i;

/**
 * Who calls. The key is looked up by its SHA-256, so no secret is ever compared byte by byte and none has to be held.
 * @param clients by the hash of their key; null: anybody may call.
 * @throws ProxyError `invalid_api_key`
 */
export function authenticate(headers: IncomingHttpHeaders, clients: ReadonlyMap<string, Client> | null): Client {
  if (!clients) return ANONYMOUS;
  const key = presentedKey(headers);
  if (key === null) {
    throw new ProxyError(
      'invalid_api_key',
      'No API key was given. Send one of the keys configured under `clients` as `authorization: Bearer KEY`.',
    );
  }
  const client = clients.get(hash('sha256', key, 'hex'));
  if (!client) {
    throw new ProxyError(
      'invalid_api_key',
      'The API key is not known here. Use one of the keys configured under `clients`, not the key of a provider.',
    );
  }
  return client;
}

/** Who was let in; routes that are not public have a client. */
export function clientOf({ arrival }: FastifyRequest): Client {
  if (!arrival?.client) throw new Error('a request got past authentication');
  return arrival.client;
}

function presentedKey(headers: IncomingHttpHeaders): string | null {
  const { authorization } = headers;
  if (authorization !== undefined) return authorization.replace(BEARER, '').trim() || null;
  for (const name of KEY_HEADERS) {
    const value = headers[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}
