import type { ServerResponse } from 'node:http';
import type { ErrorReply, Headers } from './api/vendor-api.ts';

/** A whole JSON answer. Does nothing to a client that has left. */
export function sendJson(response: ServerResponse, body: string, head: { status: number; headers?: Headers }): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(head.status, {
    ...head.headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

export function sendError(response: ServerResponse, error: ErrorReply, headers: Headers = {}): void {
  sendJson(response, JSON.stringify(error.body), { status: error.status, headers: { ...headers, ...error.headers } });
}

export function startStream(
  response: ServerResponse,
  headers: Headers,
  type = 'text/event-stream; charset=utf-8',
): void {
  response.writeHead(200, { ...headers, 'content-type': type, 'cache-control': 'no-cache' });
}
