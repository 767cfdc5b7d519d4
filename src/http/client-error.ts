import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { ProxyError } from '../errors.ts';
import type { Connections } from './connections.ts';
import { errorResponse } from './error-response.ts';
import { MAX_URL_LENGTH } from './routes/route-table.ts';

/** What Node reports when bytes on a socket are no request. */
export interface ClientError extends Error {
  readonly code?: string;
  /** A Buffer, whatever Fastify's types say. */
  readonly rawPacket?: unknown;
}

interface Surroundings {
  readonly clock: Clock;
  readonly connections: Connections;
  readonly newRequestId: () => string;
}

/** How long a refused client may take to read its answer before the socket is cut. */
const LINGER_MS = 1000;

const LINE_FEED = 0x0a;

/** Answers what never became a request, or broke while it was one, in OpenAI's shape wherever an answer is possible. */
export function handleClientError(error: ClientError, socket: Socket, around: Surroundings): void {
  const connection = around.connections.of(socket);
  const refusal = refusalOf(error);
  if (connection.failUpload(refusal)) return;
  if (refusal.code === 'client_closed_request' || !socket.writable || !connection.canAnswerOutOfBand) {
    socket.destroy();
    return;
  }
  socket.end(rawAnswer(refusal, around.newRequestId()));
  // Closing with bytes unread makes the kernel reset the connection, and the client would lose the answer.
  const cancel = around.clock.schedule(LINGER_MS, () => socket.destroy());
  socket.once('close', cancel);
}

function refusalOf(error: ClientError): ProxyError {
  const headers = { connection: 'close' };
  if (error.code === 'ECONNRESET' || error.code === 'HPE_INVALID_EOF_STATE') {
    return new ProxyError('client_closed_request', 'The client left in the middle of its request.', { headers });
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new ProxyError('request_timeout', 'The request did not arrive in time. Send it again.', { headers });
  }
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return isWithinRequestLine(error.rawPacket)
      ? new ProxyError('uri_too_long', 'The URL is too long.', { headers })
      : new ProxyError('headers_too_large', 'The headers are too large. Send fewer or shorter ones.', { headers });
  }
  return new ProxyError('bad_request', 'This is not valid HTTP/1.1.', { headers });
}

/** The parser tells that a head is too large, not where: a first packet without an early line end is mostly URL. */
function isWithinRequestLine(packet: unknown): boolean {
  if (!Buffer.isBuffer(packet) || !/^[A-Z]+ /.test(packet.toString('latin1', 0, 16))) return false;
  const lineEnd = packet.indexOf(LINE_FEED);
  return lineEnd === -1 || lineEnd > MAX_URL_LENGTH;
}

function rawAnswer(refusal: ProxyError, requestId: string): string {
  const { status, headers, body } = errorResponse(refusal, false);
  const json = JSON.stringify(body);
  const lines = Object.entries({
    ...headers,
    'x-request-id': requestId,
    'x-content-type-options': 'nosniff',
    'content-length': String(Buffer.byteLength(json)),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${json}`;
}
