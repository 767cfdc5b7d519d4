/**
 * An upstream that costs next to nothing, so that what is measured is what stands in front of it: OpenAI's shapes, made
 * up once, no limits. `node bench/cheap-upstream.ts --delay-ms 60 --gap-ms 20`; sends `{ port }` to its parent.
 *
 * A whole answer comes `delay-ms` after the request. A stream begins at once and comes as single events, each `gap-ms`
 * after the last; the streams are spread over the gap and go on until they are closed, or for `--events`, with the usual
 * end. With `--fail-every 100` each hundredth request is answered with a 500.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    'delay-ms': { type: 'string', default: '60' },
    'gap-ms': { type: 'string', default: '20' },
    events: { type: 'string', default: 'Infinity' },
    'fail-every': { type: 'string', default: 'Infinity' },
  },
});
const DELAY_MS = Number(values['delay-ms']);
const GAP_MS = Number(values['gap-ms']);
const EVENTS = Number(values.events);
const FAIL_EVERY = Number(values['fail-every']);
const TICK_MS = 1;

const USAGE = { prompt_tokens: 900, completion_tokens: 100, total_tokens: 1000 };
const HEAD = {
  id: 'chatcmpl-bench',
  created: 1_760_000_000,
  model: 'gpt-4o-2024-11-20',
  system_fingerprint: 'fp_bench',
};
const ANSWER = JSON.stringify({
  ...HEAD,
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'word '.repeat(100) }, finish_reason: 'stop' }],
  usage: USAGE,
});

function chunk(delta: object): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: null }];
  return `data: ${JSON.stringify({ ...HEAD, object: 'chat.completion.chunk', choices, usage: null })}\n\n`;
}

const FIRST = chunk({ role: 'assistant', content: '' });
const NEXT = chunk({ content: ' word' });
const LAST =
  `data: ${JSON.stringify({ ...HEAD, object: 'chat.completion.chunk', choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }], usage: null })}\n\n` +
  `data: ${JSON.stringify({ ...HEAD, object: 'chat.completion.chunk', choices: [], usage: USAGE })}\n\ndata: [DONE]\n\n`;
const FAILURE = JSON.stringify({
  error: { message: 'The server had an error', type: 'server_error', param: null, code: null },
});
const WANTS_STREAM = Buffer.from('"stream":true');

interface Stream {
  readonly response: ServerResponse;
  nextAt: number;
  eventsLeft: number;
}

const streams = new Set<Stream>();
let opened = 0;
let asked = 0;

function stream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(FIRST + NEXT);
  // By the golden ratio, each next one lands in the largest gap that the others have left.
  const each: Stream = {
    response,
    nextAt: performance.now() + GAP_MS * (1 + ((opened++ * 0.618) % 1)),
    eventsLeft: EVENTS,
  };
  streams.add(each);
  response.on('close', () => streams.delete(each));
}

function sendDue(): void {
  const now = performance.now();
  for (const each of streams) {
    if (each.nextAt > now) continue;
    each.nextAt += GAP_MS;
    each.eventsLeft--;
    if (each.eventsLeft > 0) {
      each.response.write(NEXT);
      continue;
    }
    streams.delete(each);
    each.response.end(LAST);
  }
}

function whole(response: ServerResponse): void {
  setTimeout(() => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length });
    response.end(ANSWER);
  }, DELAY_MS);
}

function fail(response: ServerResponse): void {
  response.writeHead(500, { 'content-type': 'application/json', 'content-length': FAILURE.length });
  response.end(FAILURE);
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  let isStreaming = false;
  request.on('data', (piece: Buffer) => {
    isStreaming ||= piece.includes(WANTS_STREAM);
  });
  request.on('end', () => {
    asked++;
    if (asked % FAIL_EVERY === 0) fail(response);
    else if (isStreaming) stream(response);
    else whole(response);
  });
}

const server = createServer({ keepAliveTimeout: 120_000 }, answer);
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
setInterval(sendDue, TICK_MS);
