/**
 * The least that Fastify and undici can be asked to do: bytes to the upstream, bytes back, under back-pressure; nothing is
 * read of either. `node bench/bare-proxy.ts --upstream http://127.0.0.1:9000`; sends `{ port }` to its parent.
 */
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Dispatcher, Pool } from 'undici';

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
      delete headers['connection'];
      delete headers['keep-alive'];
      delete headers['transfer-encoding'];
      raw.writeHead(status, headers);
    },
    onResponseData(controller, chunk) {
      if (!raw.write(chunk)) controller.pause();
    },
    onResponseEnd: () => void raw.end(),
    onResponseError: (_controller, error) => failed(error),
  };
}

function pass(request: FastifyRequest, reply: FastifyReply): void {
  reply.hijack();
  const headers = {
    'content-type': request.headers['content-type'] ?? '',
    'content-length': request.headers['content-length'] ?? '0',
    authorization: 'Bearer sk-bench-upstream',
  };
  const options: Dispatcher.DispatchOptions = { method: 'POST', path: request.url, headers, body: request.raw };
  pool.dispatch(
    options,
    relay(reply, () => reply.raw.destroy()),
  );
}

const app = Fastify({ logger: false });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', (_request, _payload, done) => done(null));
app.post('/v1/chat/completions', pass);
await app.listen({ host: '127.0.0.1', port: 0 });
process.send?.({ port: (app.server.address() as AddressInfo).port });
