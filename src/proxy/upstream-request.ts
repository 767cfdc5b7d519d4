import { forwardableRequestHeaders } from '../upstream/hop-by-hop.ts';
import type { UpstreamRequest } from '../upstream/transport.ts';
import type { ClientRequest } from './exchange.ts';
import type { RequestBody } from './request-body.ts';
import type { Endpoint, ServedTarget } from './served-model.ts';

interface Route {
  readonly target: ServedTarget;
  readonly endpoint: Endpoint;
  readonly userAgent: string;
}

/** The request that goes upstream, built anew: nothing of the client's passes but its body and a few named headers. */
export function upstreamRequest(request: ClientRequest, body: RequestBody, route: Route): UpstreamRequest {
  const { target, endpoint } = route;
  const call = target.provider.prepare({
    body: body.forUpstream({ model: target.model, includeUsage: asksForUsage(target) }),
    model: target.model,
    isStreaming: body.facts.isStreaming,
    apiKey: endpoint.apiKey,
    basePath: endpoint.basePath,
  });
  return {
    method: 'POST',
    origin: endpoint.origin,
    path: call.path,
    headers: {
      ...forwardableRequestHeaders(request.headers, target.forwardHeaders),
      'content-type': 'application/json',
      'accept-encoding': 'identity',
      'user-agent': route.userAgent,
      ...call.headers,
      ...endpoint.headers,
    },
    body: call.body,
    timeouts: target.timeouts,
  };
}

/** Vendors that send it anyway may refuse to be asked. */
function asksForUsage({ canStreamUsage, provider }: ServedTarget): boolean {
  return canStreamUsage && provider.streamUsage === 'ask';
}
