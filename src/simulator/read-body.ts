import type { IncomingMessage } from 'node:http';

/** As large as vendors take. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** Reads a body to its end. `onBody` gets null when it is too large; nothing is called when the client breaks off. */
export function readBody(request: IncomingMessage, onBody: (text: string | null) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  });
  request.on('end', () => onBody(size <= MAX_BODY_BYTES ? Buffer.concat(chunks, size).toString('utf8') : null));
  // A client that breaks off while sending has asked for nothing.
  request.on('error', () => {});
}
