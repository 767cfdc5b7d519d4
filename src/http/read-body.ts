import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { ProxyError } from '../errors.ts';
import { BodyPieces } from './body-pieces.ts';
import type { Reservation } from './byte-budget.ts';
import type { Connection } from './connections.ts';

const JSON_TYPE = /^application\/json *(?:;|$)/i;

/** What is known of a body before it is read. */
export interface DeclaredBody {
  /** From `content-length`; 0 when the body comes in chunks, or not at all. */
  readonly bytes: number;
}

/**
 * Checks what the headers say of a body.
 * @throws ProxyError `unsupported_media_type` or `request_too_large`
 */
export function declaredBody(headers: IncomingHttpHeaders, kind: 'json' | 'any', limitBytes: number): DeclaredBody {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new ProxyError('unsupported_media_type', 'Send the body without content-encoding: it is not decompressed.');
  }
  if (kind === 'json' && !JSON_TYPE.test(headers['content-type'] ?? '')) {
    throw new ProxyError('unsupported_media_type', 'Send the body as JSON, with `content-type: application/json`.');
  }
  const bytes = Number(headers['content-length'] ?? 0);
  if (bytes > limitBytes) throw tooLarge(limitBytes);
  return { bytes };
}

export function serverBusy(): ProxyError {
  return new ProxyError('server_busy', 'The server holds as many request bodies as it can. Try again in a moment.');
}

function tooLarge(limitBytes: number): ProxyError {
  return new ProxyError('request_too_large', `The body is larger than the ${limitBytes} bytes that are accepted.`);
}

interface Bounds {
  readonly limitBytes: number;
  readonly reservation: Reservation;
  readonly connection: Connection;
}

/**
 * Reads a body whole. What follows a failure is read on and dropped, so that the client can finish sending and then sees
 * the answer; the server's request timeout ends that.
 * @throws ProxyError `request_too_large`, `server_busy`, `request_timeout`, `bad_request`, `client_closed_request`
 */
export function readBody(request: IncomingMessage, { limitBytes, reservation, connection }: Bounds): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces = new BodyPieces();

    const settle = (): void => {
      endUpload();
      request.off('data', onData).off('end', onEnd).off('close', onLost);
      request.resume();
    };
    const fail = (error: ProxyError): void => {
      settle();
      reject(error);
    };
    const onData = (chunk: Buffer): void => {
      pieces.add(chunk);
      if (pieces.bytes > limitBytes) fail(tooLarge(limitBytes));
      else if (!reservation.growTo(pieces.bytes)) fail(serverBusy());
    };
    const onEnd = (): void => {
      settle();
      resolve(pieces.join());
    };
    const onLost = (): void => fail(new ProxyError('client_closed_request', 'The client left while it was uploading.'));

    const endUpload = connection.uploading(fail);
    request.on('error', ignore);
    request.on('data', onData).on('end', onEnd).on('close', onLost);
  });
}

/**
 * A torn upload emits 'error' too; 'close' always follows it. Out here, since the listener stays as long as the request: a
 * closure would hold all that the reader knows, the body among it, until the last byte of the answer.
 */
function ignore(): void {}
