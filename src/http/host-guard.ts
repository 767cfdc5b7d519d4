import type { IncomingHttpHeaders } from 'node:http';
import { ProxyError } from '../errors.ts';

const LOOPBACK_HOST =
  /^(?:(?:[a-z0-9-]+\.)*localhost\.?|127(?:\.\d{1,3}){3}|\[::1\]|\[::ffff:127(?:\.\d{1,3}){3}\])(?::\d{1,5})?$/i;

/** Whether a Host header names this machine itself, with or without a port. */
export function isLoopbackHost(host: string): boolean {
  return LOOPBACK_HOST.test(host);
}

interface OpenDoor {
  readonly openTo: 'loopback' | 'any';
  readonly corsOrigins: readonly string[];
}

/**
 * Guards a server that asks for no key: without this, any web page that the user visits could spend the keys, directly
 * or by pointing a name of its own at the loopback address (DNS rebinding).
 * @throws ProxyError `origin_not_allowed`
 */
export function guardOpenServer(headers: IncomingHttpHeaders, { openTo, corsOrigins }: OpenDoor): void {
  const { host = '', origin } = headers;
  if (openTo === 'loopback' && !isLoopbackHost(host)) {
    throw new ProxyError(
      'origin_not_allowed',
      'Without configured clients only this machine may call, by a name like localhost. Configure `clients` to open the server to others.',
    );
  }
  if (origin === undefined || corsOrigins.includes('*') || corsOrigins.includes(origin)) return;
  if (origin === `http://${host}` || origin === `https://${host}`) return;
  throw new ProxyError(
    'origin_not_allowed',
    'Web pages of this origin may not call. Add it to `server.cors.origins`, or configure `clients`.',
  );
}
