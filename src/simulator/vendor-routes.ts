import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ApiError, invalidKey, invalidRequest, missingKey, modelNotFound, unknownUrl } from './api-error.ts';
import { ChatCall } from './chat-call.ts';
import { readChatRequest } from './chat-request.ts';
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

const MODELS_PATH = '/v1/models';
const CHAT_PATH = '/v1/chat/completions';

/** The vendor's own API: what an OpenAI client calls. */
export function answerVendor(vendor: Vendor, exchange: Exchange): void {
  const { request, response, path } = exchange;
  const receivedAt = vendor.clock.now();
  const sender = senderOf(vendor, request);
  if ('status' in sender) {
    vendor.book.refuse('invalid_api_key');
    refuseEarly(vendor, exchange, sender);
    return;
  }
  if (request.method === 'GET' && (path === MODELS_PATH || path.startsWith(`${MODELS_PATH}/`))) {
    answerModels(vendor, exchange);
    return;
  }
  if (request.method !== 'POST' || path !== CHAT_PATH) {
    refuseEarly(vendor, exchange, unknownUrl(request.method ?? 'GET', path));
    return;
  }
  readBody(request, (text) => {
    const chat = text === null ? tooLarge() : readChatRequest(text);
    if ('status' in chat) {
      vendor.book.refuse('invalid_request');
      sendError(response, chat, { 'x-request-id': vendor.nextId('req_') });
      return;
    }
    const { headers } = request;
    new ChatCall(vendor, { sender, request: chat, headers, response, receivedAt: receivedAt }).begin();
  });
}

function senderOf(vendor: Vendor, request: IncomingMessage): Sender | ApiError {
  const token = /^Bearer\s+(.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) return missingKey();
  return vendor.organizations.find(token.trim()) ?? invalidKey(token);
}

/** The body is read and dropped: a client that is still sending would see a reset instead of the answer. */
function refuseEarly(vendor: Vendor, { request, response }: Exchange, error: ApiError): void {
  request.resume();
  sendError(response, error, { 'x-request-id': vendor.nextId('req_') });
}

function answerModels(vendor: Vendor, exchange: Exchange): void {
  const { response, path, request } = exchange;
  request.resume();
  const created = Math.floor(vendor.nowMs() / 1000);
  const models = vendor.models.map((id) => ({ id, object: 'model', created, owned_by: 'simulator' }));
  if (path === MODELS_PATH) {
    sendJson(response, JSON.stringify({ object: 'list', data: models }), { status: 200 });
    return;
  }
  const id = decoded(path.slice(MODELS_PATH.length + 1));
  const model = models.find((each) => each.id === id);
  if (model) sendJson(response, JSON.stringify(model), { status: 200 });
  else sendError(response, modelNotFound(id));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function tooLarge(): ApiError {
  return { ...invalidRequest('The request body is too large.'), status: 413 };
}
