import { ProxyError } from '../../errors.ts';
import { cutClientText } from '../../proxy/scrub.ts';
import { OPERATION_PATHS } from './operation-paths.ts';

/** Characters; longer URLs are refused. Node itself only limits URL and headers together. */
export const MAX_URL_LENGTH = 8192;

/** A path that the server knows. `prefix`: and everything below it. */
interface KnownPath {
  readonly path: string;
  readonly isPrefix: boolean;
  readonly methods: string;
}

const OPERATIONS: readonly KnownPath[] = OPERATION_PATHS.map(([, path]) => ({
  path,
  isPrefix: false,
  methods: 'POST, OPTIONS',
}));

/** Paths of OpenAI's API, without their `/v1`: they answer with and without it. */
const API_PATHS: readonly KnownPath[] = [
  ...OPERATIONS,
  { path: '/models', isPrefix: false, methods: 'GET, HEAD, OPTIONS' },
  { path: '/models/', isPrefix: true, methods: 'GET, HEAD, OPTIONS' },
];

/** Paths of our own. */
const OWN_PATHS: readonly KnownPath[] = ['/', '/health', '/healthz', '/ready', '/readyz', '/queue'].map((path) => ({
  path,
  isPrefix: false,
  methods: 'GET, HEAD, OPTIONS',
}));

/** Where Azure's clients call. */
const AZURE_PATHS: readonly KnownPath[] = [
  { path: '/openai/deployments/', isPrefix: true, methods: 'POST, OPTIONS' },
  { path: '/openai/responses', isPrefix: false, methods: 'POST, OPTIONS' },
];

const ABSOLUTE_FORM = /^https?:\/\/[^/?#]*/i;

/** A URL as servers get it: path and query, even where a client writes to us as to a proxy. */
export function withoutOrigin(url: string): string {
  return url.replace(ABSOLUTE_FORM, '');
}

/** The path of a request's URL: without origin, query and fragment, as it may be shown. */
export function pathOf(url: string): string {
  return withoutOrigin(url).replace(/[?#].*$/s, '') || '/';
}

/** The value of `allow` for a known path; null when there is nothing at that path. `providers` begin paths of their own. */
export function allowedMethods(path: string, providers: readonly string[] = []): string | null {
  const plain = path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
  const known =
    API_PATHS.find((row) => matches(row, withoutVersion(plain))) ??
    [...OWN_PATHS, ...AZURE_PATHS].find((row) => matches(row, plain)) ??
    providers.flatMap((name) => operationBelow(`/${name}/`, plain))[0];
  return known?.methods ?? null;
}

function operationBelow(prefix: string, path: string): KnownPath[] {
  const below = path.startsWith(prefix) ? withoutVersion(path.slice(prefix.length - 1)) : null;
  return OPERATIONS.filter((row) => below === row.path);
}

function withoutVersion(path: string): string {
  return path.replace(/^\/v1(?=\/)/, '');
}

/** OpenAI's words, and what would have been right: mostly the base URL is wrong, or the endpoint is one of OpenAI's others. */
export function unknownUrl(method: string, path: string): ProxyError {
  const asked = `Invalid URL (${method} ${cutClientText(path)})`;
  const served = OPERATION_PATHS.map(([, known]) => `/v1${known}`).join(', ');
  return new ProxyError('unknown_url', `${asked}. This server answers POST ${served} and GET /v1/models.`);
}

function matches(row: KnownPath, path: string): boolean {
  return row.isPrefix ? path.startsWith(row.path) : path === row.path;
}
