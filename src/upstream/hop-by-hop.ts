import type { UpstreamHeaders } from './transport.ts';

/** A client's headers: lower-case names. */
type ClientHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** What every provider gets of a client's headers: a beta switch, a key against repeats, the trace (W3C Trace Context). */
const FORWARDED = ['openai-beta', 'idempotency-key', 'traceparent', 'tracestate'] as const;

/** What a client gets of an upstream's headers; the others describe the vendor's connection or Sluice's account. */
const RETURNED = ['openai-processing-ms', 'openai-version'] as const;

/**
 * Never forwarded, not even by configuration:
 * - what belongs to the client's connection (RFC 9110, 7.6.1, and the obsolete names of RFC 2616, 13.5.1);
 * - what describes the message, which Sluice builds anew (RFC 9110, 7.2, 8.4, 8.6, 10.1.1, 12.5.3);
 * - the client's credentials and identity: they are for Sluice.
 */
const NEVER: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['proxy-authenticate', 'proxy-authorization', 'http2-settings'],
  ...['host', 'content-length', 'content-type', 'content-encoding', 'accept-encoding', 'expect'],
  ...['authorization', 'cookie', 'x-api-key', 'api-key', 'x-goog-api-key', 'openai-organization', 'openai-project'],
]);

/** RFC 9110, 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** Printable ASCII and tabs: what every server takes (RFC 9110, 5.5, calls the rest opaque). */
const ASCII_VALUE = /^[\t\x20-\x7e]+$/;

const NUMBER_OR_DATE = /^[\d.-]{1,24}$/;

/**
 * The headers that pass from a client to an upstream: the common ones and `extraNames`, a provider's `forward_headers`.
 * Values that are not ASCII stay behind, and so does what the client's own `connection` names: that is meant for us.
 */
export function forwardableRequestHeaders(
  clientHeaders: ClientHeaders,
  extraNames: readonly string[],
): Readonly<Record<string, string>> {
  const extra = extraNames.map((name) => name.toLowerCase()).filter(isForwardable);
  const nominated = namesIn(clientHeaders['connection']);
  const names = [...FORWARDED, ...extra];
  return pick(clientHeaders, nominated.length === 0 ? names : names.filter((name) => !nominated.includes(name)));
}

/** Of the client's headers those with these names, which belong to the format that the upstream is asked in. */
export function clientHeaders(headers: ClientHeaders, names: readonly string[]): Readonly<Record<string, string>> {
  return names.length === 0 ? {} : pick(headers, names.filter(isForwardable));
}

/** The headers that pass from an upstream's answer to the client: a number and a date, so that no echo comes along. */
export function safeAnswerHeaders(upstreamHeaders: UpstreamHeaders): Readonly<Record<string, string>> {
  return pick(upstreamHeaders, RETURNED, NUMBER_OR_DATE);
}

/** One header by its name, if it is there and every server can read it. */
export function plainHeader(headers: ClientHeaders, name: string): Readonly<Record<string, string>> {
  return pick(headers, [name]);
}

function isForwardable(name: string): boolean {
  return TOKEN.test(name) && !NEVER.has(name);
}

function pick(
  headers: ClientHeaders,
  names: readonly string[],
  allowed = ASCII_VALUE,
): Readonly<Record<string, string>> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = Object.hasOwn(headers, name) ? joined(headers[name]) : '';
    if (allowed.test(value)) picked[name] = value;
  }
  return picked;
}

/** Several lines of one header are one list (RFC 9110, 5.3). */
function joined(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(', ') : (value ?? '');
}

/** What a `connection` header names besides what it says itself. */
function namesIn(connection: string | string[] | undefined): string[] {
  const text = joined(connection).toLowerCase();
  if (text === '' || text === 'keep-alive' || text === 'close') return [];
  return text.split(',').map((name) => name.trim());
}
