import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Failure, invalidRequest, isFailure } from './api/failure.ts';
import type { Endpoint, Incoming } from './api/vendor-api.ts';
import { isObject, isTooDeep, type Json, parseJson } from './json.ts';
import { ModelCall } from './model-call.ts';
import type { Sender } from './organizations.ts';
import { readBody } from './read-body.ts';
import { sendError, sendJson } from './respond.ts';
import type { Vendor } from './vendor.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Without its query. */
  readonly path: string;
}

/** The vendor's own API: what its clients call. */
export function answerVendor(vendor: Vendor, exchange: Exchange): void {
  const { request } = exchange;
  const receivedAt = vendor.clock.now();
  const incoming = incomingOf(exchange);
  const sender = senderOf(vendor, incoming);
  if (isFailure(sender)) {
    vendor.book.refuse('invalid_api_key');
    refuseEarly(vendor, exchange, sender);
    return;
  }
  const endpoint = vendor.api.endpointOf(incoming);
  if (endpoint === null) {
    refuseEarly(vendor, exchange, { kind: 'unknown_url', method: incoming.method, path: incoming.path });
    return;
  }
  readBody(request, (text) => {
    const takesAny = endpoint.kind === 'plain' && endpoint.takesAnyBody === true;
    const body = bodyOf(text, takesAny || incoming.method !== 'POST');
    if (isFailure(body)) refuseBody(vendor, exchange, body);
    else if (endpoint.kind === 'plain') answerPlain(vendor, exchange, { endpoint, sender, body: body.json });
    else answerModel(vendor, exchange, { endpoint, sender, body: body.json, receivedAt });
  });
}

interface Known<Kind extends Endpoint['kind']> {
  readonly endpoint: Extract<Endpoint, { readonly kind: Kind }>;
  readonly sender: Sender;
  readonly body: Json;
}

function answerModel(
  vendor: Vendor,
  exchange: Exchange,
  { endpoint, sender, body, receivedAt }: Known<'model'> & { readonly receivedAt: number },
): void {
  const read = endpoint.read(body, vendor.storedBy(sender.key));
  if (isFailure(read)) {
    refuseBody(vendor, exchange, read);
    return;
  }
  const { request, response } = exchange;
  new ModelCall(vendor, { sender, read, headers: request.headers, response, receivedAt }).begin();
}

function answerPlain(vendor: Vendor, exchange: Exchange, { endpoint, sender, body }: Known<'plain'>): void {
  const answer = endpoint.answer({
    models: vendor.models,
    nowS: Math.floor(vendor.nowMs() / 1000),
    body,
    count: vendor.count,
    nextId: (prefix) => vendor.nextId(prefix),
    inVendorTokens: (tokens) => vendor.inVendorTokens(tokens),
    stored: vendor.storedBy(sender.key),
  });
  if (isFailure(answer)) fail(vendor, exchange, answer);
  else sendJson(exchange.response, JSON.stringify(answer.json), { status: 200 });
}

function incomingOf({ request, path }: Exchange): Incoming {
  const [, query = ''] = (request.url ?? '/').split('?', 2);
  return { method: request.method ?? 'GET', path, query: new URLSearchParams(query), headers: request.headers };
}

function senderOf(vendor: Vendor, incoming: Incoming): Sender | Failure {
  const key = vendor.api.keyOf(incoming);
  if (key === null) return { kind: 'missing_key' };
  return vendor.organizations.find(key) ?? { kind: 'invalid_key', key };
}

/** `isAny`: a body that is no JSON says nothing, and is not wrong. */
function bodyOf(text: string | null, isAny: boolean): { json: Json } | Failure {
  if (text === null) return { kind: 'body_too_large' };
  const json = parseJson(text);
  if (isAny) return { json: isObject(json) && !isTooDeep(json) ? json : {} };
  if (!isObject(json)) return invalidRequest('We could not parse the JSON body of your request.');
  return isTooDeep(json) ? invalidRequest('The JSON body of your request is nested too deeply.') : { json };
}

/** The body is read and dropped: a client that is still sending would see a reset instead of the answer. */
function refuseEarly(vendor: Vendor, exchange: Exchange, failure: Failure): void {
  exchange.request.resume();
  fail(vendor, exchange, failure);
}

function refuseBody(vendor: Vendor, exchange: Exchange, failure: Failure): void {
  vendor.book.refuse('invalid_request');
  fail(vendor, exchange, failure);
}

function fail(vendor: Vendor, { response }: Exchange, failure: Failure): void {
  const requestId = vendor.nextId('req_');
  const headers = vendor.api.headersOf({ requestId, organization: null, model: null, elapsedMs: 0, usage: null });
  sendError(response, vendor.api.errorOf(failure, requestId), headers);
}
