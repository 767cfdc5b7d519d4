import type { UpstreamRequest } from '../upstream/transport.ts';
import type { ClientRequest } from './exchange.ts';
import type { RequestBody } from './request-body.ts';
import type { Endpoint, ServedTarget } from './served-model.ts';

/** Of the client's headers only these pass, and what a provider's `forward_headers` names. */
const FORWARDED = ['openai-beta', 'idempotency-key', 'traceparent', 'tracestate'];

/** Printable ASCII: anything else could not be sent, or would be read differently at each hop. */
const IS_FORWARDABLE = /^[\x20-\x7e]*$/;

/** Never passed on, whatever a configuration says: they would name another caller, or change how the message is framed. */
const NEVER_FORWARDED: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'openai-organization',
  'openai-project',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

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
      ...forwarded(request, target.forwardHeaders),
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

function forwarded({ headers }: ClientRequest, more: readonly string[]): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of [...FORWARDED, ...more]) {
    const value = headers[name];
    if (typeof value === 'string' && IS_FORWARDABLE.test(value) && !NEVER_FORWARDED.has(name)) passed[name] = value;
  }
  return passed;
}
