import type { Provider } from '../../providers/provider.ts';
import { clientHeaders, forwardableRequestHeaders, plainHeader } from '../../upstream/hop-by-hop.ts';
import type { UpstreamRequest } from '../../upstream/transport.ts';
import type { Endpoint, ServedTarget } from '../served-model.ts';
import { rawUrl } from './raw-path.ts';
import type { RawRequest } from './raw-request.ts';

interface Route {
  readonly target: ServedTarget;
  readonly endpoint: Endpoint;
  readonly userAgent: string;
}

/** The request that goes upstream, built anew: of the client's pass its body, what kind that is, and a few named headers. */
export function rawUpstreamRequest(request: RawRequest, { target, endpoint, userAgent }: Route): UpstreamRequest {
  const { method, path, headers, body } = request;
  const { provider } = target;
  return {
    method,
    origin: endpoint.origin,
    path: rawUrl(path, endpoint.basePath),
    headers: {
      ...forwardableRequestHeaders(headers, target.forwardHeaders),
      ...plainHeader(headers, 'accept'),
      ...(body === null ? {} : plainHeader(headers, 'content-type')),
      'accept-encoding': 'identity',
      'user-agent': userAgent,
      ...credentials(provider, endpoint),
      ...clientHeaders(headers, formatHeaders(provider)),
      ...endpoint.headers,
    },
    body,
    timeouts: target.timeouts,
  };
}

function credentials(provider: Provider, { apiKey, apiVersion }: Endpoint): Readonly<Record<string, string>> {
  if (provider.credentials) return provider.credentials(apiKey, apiVersion);
  return apiKey === null ? {} : { authorization: `Bearer ${apiKey}` };
}

/** Headers that say what form the vendor's bodies have, whatever the endpoint. */
function formatHeaders({ wires }: Provider): readonly string[] {
  return [...new Set(Object.values(wires).flatMap(({ clientHeaders: names = [] }) => names))];
}
