import type { ServerResponse } from 'node:http';
import { type ApiError, errorBody } from './api-error.ts';

export type Headers = Readonly<Record<string, string>>;

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

export function sendError(response: ServerResponse, error: ApiError, headers: Headers = {}): void {
  sendJson(response, errorBody(error), { status: error.status, headers });
}

export function startStream(response: ServerResponse, headers: Headers): void {
  response.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  });
}
