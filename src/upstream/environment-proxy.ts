/** The values of the usual variables; the lower-case variants win where both are set, which is the caller's matter. */
export interface ProxyEnvironment {
  readonly httpProxy?: string | undefined;
  /** For `https://` origins; where it is absent `httpProxy` serves them too. */
  readonly httpsProxy?: string | undefined;
  /** Hosts that are reached directly: `*`, `host`, `.suffix`, `*.suffix`, each with an optional `:port`. */
  readonly noProxy?: string | undefined;
}

interface Exception {
  readonly host: string;
  /** Null: any. */
  readonly port: string | null;
  /** `*.example.com` means the subdomains without `example.com` itself; `.example.com` means both. */
  readonly isSubdomainsOnly: boolean;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/**
 * The proxy for each origin by HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as curl and undici read them; null: reached directly.
 * Throws an Error that names the variable, and never its value, which may hold a password.
 */
export function environmentProxy(environment: ProxyEnvironment): (origin: string) => string | null {
  const httpProxy = readProxyUrl('HTTP_PROXY', environment.httpProxy);
  const httpsProxy = readProxyUrl('HTTPS_PROXY', environment.httpsProxy) ?? httpProxy;
  const exceptions = (environment.noProxy ?? '').split(/[,\s]+/).filter((entry) => entry !== '');
  const rules = exceptions.map((entry) => readException(entry));
  return (origin) => {
    const { protocol, hostname, port } = new URL(origin);
    const host = bare(hostname);
    const effectivePort = port === '' ? (DEFAULT_PORTS[protocol] ?? '') : port;
    if (rules.some((rule) => isMatch(rule, host, effectivePort))) return null;
    return protocol === 'https:' ? httpsProxy : httpProxy;
  };
}

function readProxyUrl(variable: string, value: string | undefined): string | null {
  const text = value?.trim() ?? '';
  if (text === '') return null;
  // A proxy without a scheme, `proxy:3128`, is common and means http.
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new Error(`${variable} is not the URL of a proxy: write it as http://host:port.`);
  }
  return url.href;
}

function readException(entry: string): Exception {
  const { host = entry, port = null } =
    /^\[(?<host>.+)\]:(?<port>\d+)$/.exec(entry)?.groups ?? /^(?<host>[^:]+):(?<port>\d+)$/.exec(entry)?.groups ?? {};
  return {
    host: host === '*' ? '*' : bare(host.replace(/^\*?\./, '')),
    port,
    isSubdomainsOnly: host.startsWith('*.'),
  };
}

function isMatch(rule: Exception, host: string, port: string): boolean {
  if (rule.port !== null && rule.port !== port) return false;
  if (rule.host === '*') return true;
  return (host === rule.host && !rule.isSubdomainsOnly) || host.endsWith(`.${rule.host}`);
}

/** Without the brackets of IPv6 and the dot that only marks a full name. */
function bare(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.+)\]$/, '$1')
    .replace(/(.)\.$/, '$1');
}
