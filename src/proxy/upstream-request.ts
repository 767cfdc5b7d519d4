import type { Wire } from '../providers/wire.ts';
import { clientHeaders, forwardableRequestHeaders } from '../upstream/hop-by-hop.ts';
import type { UpstreamRequest } from '../upstream/transport.ts';
import type { ClientRequest } from './exchange.ts';
import type { RequestBody } from './request-body.ts';
import type { Endpoint, ServedTarget } from './served-model.ts';

interface Route {
  readonly target: ServedTarget;
  readonly endpoint: Endpoint;
  /** The target's, for the operation that the client asked for. */
  readonly wire: Wire;
  readonly userAgent: string;
}

interface OutgoingRequest {
  readonly request: UpstreamRequest;
  /** Fields of the client's that this upstream has no words for. */
  readonly dropped: readonly string[];
}

/** The request that goes upstream, built anew: nothing of the client's passes but its body and a few named headers. */
export function upstreamRequest(request: ClientRequest, body: RequestBody, route: Route): OutgoingRequest {
  const { target, endpoint, wire } = route;
  const call = wire.prepare({
    body: body.forUpstream({
      model: target.model,
      includeUsage: asksForUsage(request, target),
      edits: target.edits,
      ...(wire.adapt ? { adapt: wire.adapt } : {}),
    }),
    model: target.model,
    isStreaming: body.facts.isStreaming,
    apiKey: endpoint.apiKey,
    basePath: endpoint.basePath,
    apiVersion: endpoint.apiVersion,
  });
  const outgoing: UpstreamRequest = {
    method: 'POST',
    origin: endpoint.origin,
    path: call.path,
    headers: {
      ...forwardableRequestHeaders(request.headers, target.forwardHeaders),
      'content-type': 'application/json',
      'accept-encoding': 'identity',
      'user-agent': route.userAgent,
      ...call.headers,
      ...clientHeaders(request.headers, wire.clientHeaders ?? []),
      ...endpoint.headers,
    },
    body: call.body,
    timeouts: target.timeouts,
  };
  return { request: outgoing, dropped: call.dropped ?? [] };
}

/** Only where the option exists; vendors that send it anyway may refuse to be asked. */
function asksForUsage({ operation }: ClientRequest, { canStreamUsage, provider }: ServedTarget): boolean {
  const hasOption = operation === 'chat' || operation === 'completions';
  return hasOption && canStreamUsage && provider.streamUsage === 'ask';
}
