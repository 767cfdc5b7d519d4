/**
 * The least that Fastify and undici can be asked to do: bytes to the upstream, bytes back, under back-pressure; nothing is
 * read of either, and nothing is held. `node bench/bare-proxy.ts --upstream http://127.0.0.1:9000`; sends `{ port }` to
 * its parent.
 *
 * `/v1/chat/completions` is what their manuals show: undici's `request`, Fastify's `reply.send` of its body.
 * `/relay/v1/chat/completions` leaves both out: undici's dispatch handler writes to the socket.
 */
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Dispatcher, Pool } from 'undici';

const PATH = '/v1/chat/completions';
const CONNECTION_HEADERS = ['connection', 'keep-alive', 'transfer-encoding'];
const { values } = parseArgs({ options: { upstream: { type: 'string', default: '' } } });
const pool = new Pool(values.upstream, { connections: null, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });

function relay(reply: FastifyReply, failed: (error: Error) => void): Dispatcher.DispatchHandler {
  const { raw } = reply;
  return {
    onRequestStart(controller) {
      raw.on('drain', () => controller.resume());
      raw.on('close', () => {
        if (!raw.writableFinished) controller.abort(new Error('the client has left'));
      });
    },
    onResponseStart(_controller, status, headers) {
      for (const name of CONNECTION_HEADERS) delete headers[name];
      raw.writeHead(status, headers);
    },
    onResponseData(controller, chunk) {
      if (!raw.write(chunk)) controller.pause();
    },
    onResponseEnd: () => void raw.end(),
    onResponseError: (_controller, error) => failed(error),
  };
}

function requestOf({ headers, raw }: FastifyRequest): Dispatcher.RequestOptions {
  return {
    method: 'POST',
    path: PATH,
    headers: {
      'content-type': headers['content-type'] ?? '',
      'content-length': headers['content-length'] ?? '0',
      authorization: 'Bearer sk-bench-upstream',
    },
    body: raw,
  };
}

async function pass(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { statusCode, headers, body } = await pool.request(requestOf(request));
  for (const name of CONNECTION_HEADERS) delete headers[name];
  return reply.code(statusCode).headers(headers).send(body);
}

function passToSocket(request: FastifyRequest, reply: FastifyReply): void {
  reply.hijack();
  pool.dispatch(
    requestOf(request),
    relay(reply, () => reply.raw.destroy()),
  );
}

const app = Fastify({ logger: false });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', (_request, _payload, done) => done(null));
app.post(PATH, pass);
app.post(`/relay${PATH}`, passToSocket);
await app.listen({ host: '127.0.0.1', port: 0 });
process.send?.({ port: (app.server.address() as AddressInfo).port });
