import { connect } from 'node:net';

export interface RawAnswer {
  /** Everything that came, as it came. */
  readonly text: string;
  /** How the connection ended; `open` when the caller stopped waiting for more. */
  readonly end: 'closed' | 'reset' | 'open';
}

export interface RawRequest {
  readonly body: unknown;
  readonly key?: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Stop waiting once this has come; the connection is then closed by the client. */
  readonly until?: string;
}

/** Sends one request over a socket of its own and keeps every byte of the answer: what no HTTP client would show. */
export function sendRaw(url: string, request: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const body = typeof request.body === 'string' ? request.body : JSON.stringify(request.body);
  const head = [
    `${request.method ?? 'POST'} ${request.path ?? '/v1/chat/completions'} HTTP/1.1`,
    `host: ${hostname}:${port}`,
    `authorization: Bearer ${request.key ?? 'sk-sim-1'}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    ...Object.entries(request.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
  ];
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.write(`${head.join('\r\n')}\r\n\r\n${body}`));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (request.until === undefined || !text.includes(request.until)) return;
      resolve({ text, end: 'open' });
      socket.destroy();
    });
    socket.on('end', () => resolve({ text, end: 'closed' }));
    socket.on('error', () => resolve({ text, end: 'reset' }));
  });
}
