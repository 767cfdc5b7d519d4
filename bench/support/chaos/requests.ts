import type { Random } from '../../../test/tokens/texts.ts';
import type { Need } from './health.ts';
import { exponential, pick } from './plan.ts';
import { MODELS } from './sluice-config.ts';

/** The path decides what a whole answer and a stream's end look like. */
export type Shape = 'chat' | 'messages' | 'responses' | 'embeddings';

/** One request, and what may become of it. */
export interface ChaosRequest {
  readonly shape: Shape;
  readonly model: string;
  readonly isStreaming: boolean;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Null: it can't be served, whatever the routes are like. */
  readonly need: Need | null;
  /** The code of the error that it must get; null: it should be served. */
  readonly mustFail: string | null;
}

const PATHS: Readonly<Record<Shape, string>> = {
  chat: '/v1/chat/completions',
  messages: '/v1/messages',
  responses: '/v1/responses',
  embeddings: '/v1/embeddings',
};
const CHATS = MODELS.filter(({ isEmbedding }) => !isEmbedding).map(({ name }) => name);
/** The first ones more often: more routes stand behind them. */
const WEIGHTED = [...CHATS, 'everyday', 'everyday', 'everyday', 'best', 'best'];
const WRONG = 0.03;
const EMBEDDING = 0.1;
const MESSAGES = 0.2;
const RESPONSES = 0.1;
const STREAMED = 0.55;
const CAPPED = 0.6;
const BIG = 0.07;
/** Without a cap: the longest that a simulated answer is. */
const LONGEST_OUTPUT = 500;
/** What the message around the words takes. */
const FRAME_TOKENS = 20;

/** Draws the next request of a client. `id` makes its text one that was never sent before. */
export function drawRequest(random: Random, id: string): ChaosRequest {
  const words = random() < BIG ? 1_500 + Math.floor(3_500 * random()) : 20 + Math.floor(exponential(100, random));
  const text = `${id} ${'river '.repeat(words)}`;
  if (random() < WRONG) return wrong(random, text);
  if (random() < EMBEDDING) return embeddings(random, text, words);
  if (random() < RESPONSES) return responses(random, text, words + id.length);
  const shape = random() < MESSAGES ? 'messages' : 'chat';
  const cap = shape === 'messages' || random() < CAPPED ? 50 + Math.floor(400 * random()) : null;
  const body = {
    model: pick(WEIGHTED, random),
    messages: [{ role: 'user', content: text }],
    ...(cap === null ? {} : { max_tokens: cap }),
    ...(random() < STREAMED ? { stream: true } : {}),
  };
  return {
    ...request(shape, body),
    need: { inputTokens: words + FRAME_TOKENS + id.length, outputTokens: cap ?? LONGEST_OUTPUT },
    mustFail: null,
  };
}

function responses(random: Random, text: string, inputTokens: number): ChaosRequest {
  const cap = random() < CAPPED ? 50 + Math.floor(400 * random()) : null;
  const body = {
    model: 'respond',
    input: text,
    ...(cap === null ? {} : { max_output_tokens: cap }),
    ...(random() < STREAMED ? { stream: true } : {}),
  };
  return {
    ...request('responses', body),
    need: { inputTokens: inputTokens + FRAME_TOKENS, outputTokens: cap ?? LONGEST_OUTPUT },
    mustFail: null,
  };
}

function embeddings(random: Random, text: string, words: number): ChaosRequest {
  const inputs = 1 + Math.floor(3 * random());
  const body = { model: 'embed', input: Array.from({ length: inputs }, () => text) };
  return {
    ...request('embeddings', body),
    need: { inputTokens: inputs * (words + text.length / 100 + FRAME_TOKENS), outputTokens: 0 },
    mustFail: null,
  };
}

/** What a server sees of the world beside good requests. */
function wrong(random: Random, text: string): ChaosRequest {
  const good = request('chat', { model: 'everyday', messages: [{ role: 'user', content: text }] });
  const wrongs: Partial<ChaosRequest>[] = [
    { body: good.body.slice(0, -5), mustFail: 'invalid_json' },
    { body: JSON.stringify({ model: 'everyday' }), mustFail: 'missing_required_parameter' },
    { body: JSON.stringify({ model: text.slice(0, 40), messages: [] }), mustFail: 'invalid_type' },
    { body: good.body.replace('"everyday"', '"nowhere"'), mustFail: 'model_not_found' },
    { path: '/v1/nothing/here', mustFail: 'unknown_url' },
    { headers: { authorization: 'Bearer sk-nobody' }, mustFail: 'invalid_api_key' },
    { headers: { 'content-type': 'text/plain' }, mustFail: 'unsupported_media_type' },
  ];
  return { ...good, ...pick(wrongs, random), need: null } as ChaosRequest;
}

/** Large ones, to draw all limits down. */
export function burstRequests(id: string): ChaosRequest[] {
  return BURST.flatMap(({ model, count, isEmbedding }) =>
    Array.from({ length: count }, (_, index) => {
      const text = `${id} ${index} ${'river '.repeat(BURST_WORDS)}`;
      const asked = isEmbedding ? { input: text } : { messages: [{ role: 'user', content: text }], max_tokens: 20 };
      const need = { inputTokens: BURST_WORDS + FRAME_TOKENS + id.length, outputTokens: 20 };
      return { ...request(isEmbedding ? 'embeddings' : 'chat', { model, ...asked }), need, mustFail: null };
    }),
  );
}

const BURST_WORDS = 3_000;
const BURST = [
  { model: 'everyday', count: 60, isEmbedding: false },
  { model: 'best', count: 30, isEmbedding: false },
  { model: 'solo', count: 20, isEmbedding: false },
  { model: 'windows', count: 20, isEmbedding: false },
  { model: 'embed', count: 20, isEmbedding: true },
];

function request(shape: Shape, body: { readonly model: string; readonly [field: string]: unknown }) {
  return {
    shape,
    model: body.model,
    isStreaming: body['stream'] === true,
    path: PATHS[shape],
    headers: {},
    body: JSON.stringify(body),
  };
}
