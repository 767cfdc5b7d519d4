import { ProxyError } from '../../errors.ts';

/** Where a raw request is to go, below the address of its provider. Nothing in it is encoded. */
export interface RawPath {
  /** At least one; none is empty, a dot or two, and none holds a slash. */
  readonly segments: readonly string[];
  /** In the client's order, without credentials. */
  readonly query: readonly (readonly [name: string, value: string])[];
}

/**
 * Parameters that vendors and those in front of them take credentials from; letters and digits only. A client's are for
 * Sluice, and would end up in somebody's log.
 */
const CREDENTIALS: ReadonlySet<string> = new Set([
  ...['key', 'apikey', 'xapikey', 'xgoogapikey', 'subscriptionkey', 'accesskey', 'accesskeyid', 'secretkey'],
  ...['token', 'accesstoken', 'authtoken', 'oauthtoken', 'bearer', 'bearertoken', 'idtoken', 'refreshtoken', 'jwt'],
  ...['auth', 'authorization', 'secret', 'clientsecret', 'password', 'passwd', 'credential', 'credentials'],
  ...['sig', 'signature', 'xamzsignature', 'xamzcredential', 'xamzsecuritytoken'],
]);

/** C0, DEL and C1: no path of a vendor's holds any, and some servers cut or split at them. */
const CONTROL = /\p{Cc}/u;

/**
 * Takes the URL of a raw request apart. Each segment is decoded by itself, so that what is a slash to a server further on is
 * one here as well, and nothing leads out of the provider's address.
 * @param skipped how many segments name the provider
 * @throws ProxyError `bad_request`
 */
export function readRawPath(url: string, skipped: number): RawPath {
  const [, path = '', query = ''] = /^([^?#]*)\??([^#]*)/.exec(url) ?? [];
  const segments = path.split('/').map((segment) => decoded(segment));
  const [root, ...rest] = segments;
  if (root !== '' || rest.some((segment) => !isPlain(segment))) throw badPath();
  return { segments: rest.slice(skipped), query: readQuery(query) };
}

/** The path and query as the upstream gets them; what the base path ends with is not repeated. */
export function rawUrl({ segments, query }: RawPath, basePath: string): string {
  const base = basePath.split('/').filter((segment) => segment !== '');
  const shared = overlap(base.map(decoded), segments);
  const path = [...base, ...segments.slice(shared).map(encodeURIComponent)].join('/');
  const pairs = query.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return pairs.length === 0 ? `/${path}` : `/${path}?${pairs.join('&')}`;
}

/** How many segments the address ends with that the path begins with: `/v1` may stand in both. */
function overlap(base: readonly string[], segments: readonly string[]): number {
  const most = Math.min(base.length, segments.length);
  for (let count = most; count > 0; count -= 1) {
    if (base.slice(-count).every((segment, index) => segment === segments[index])) return count;
  }
  return 0;
}

/** Some servers drop what follows a semicolon before they look for dots. */
function isPlain(segment: string): boolean {
  const name = segment.split(';')[0];
  return name !== '' && name !== '.' && name !== '..' && !/[/\\]/.test(segment) && !CONTROL.test(segment);
}

function readQuery(query: string): RawPath['query'] {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return [fromForm(name), fromForm(value.join('='))] as const;
    })
    .filter(([name]) => !CREDENTIALS.has(name.toLowerCase().replace(/[^a-z0-9]/g, '')));
}

function fromForm(text: string): string {
  const value = decoded(text.replaceAll('+', ' '));
  if (CONTROL.test(value)) throw badPath();
  return value;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badPath();
  }
}

function badPath(): ProxyError {
  return new ProxyError(
    'bad_request',
    'The path or query is not valid: send segments that are not empty, without dots alone, slashes, backslashes or control characters, all encoded as UTF-8.',
  );
}
