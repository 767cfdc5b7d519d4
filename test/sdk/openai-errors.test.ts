import { describe, expect, test } from 'vitest';
import type { FaultKind } from '../../src/simulator/faults.ts';
import { apiError } from '../support/chat-answers.ts';
import { answer } from '../support/scripted-upstream.ts';
import { ASK, type Client, MAJORS, type Major } from './openai-majors.ts';
import { CLIENT_KEY, failureOf, NARROW_KEY, startScriptedWorld, startWorld } from './world.ts';

interface Row {
  readonly name: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly provider?: Readonly<Record<string, unknown>>;
  readonly fault?: FaultKind;
  readonly apiKey?: string;
  readonly ask: (client: Client) => Promise<unknown>;
  readonly errorClass: keyof Major['OpenAI'];
  readonly error: {
    readonly status: number;
    readonly code: string | null;
    readonly type: string;
    readonly param?: string | null;
  };
}

const create = (client: Client) => client.chat.completions.create(ASK);
const stream = (client: Client) => client.chat.completions.create({ ...ASK, stream: true });
const INVALID = 'invalid_request_error';

/** What a client did wrong, and what no repeat would help: each is asked once, whatever the SDK's own retries are. */
const ROWS: readonly Row[] = [
  {
    name: 'no messages',
    ask: (client) => client.chat.completions.create({ model: 'gpt-4o' } as never),
    errorClass: 'BadRequestError',
    error: { status: 400, code: 'missing_required_parameter', type: INVALID, param: 'messages' },
  },
  {
    name: 'a parameter of a wrong type',
    ask: (client) => client.chat.completions.create({ ...ASK, stream: 'yes' } as never),
    errorClass: 'BadRequestError',
    error: { status: 400, code: 'invalid_type', type: INVALID, param: 'stream' },
  },
  {
    name: 'a body that is no JSON',
    ask: (client) => client.post('/chat/completions', { body: Buffer.from('{"model":'), headers: JSON_TYPE }),
    errorClass: 'BadRequestError',
    error: { status: 400, code: 'invalid_json', type: INVALID },
  },
  {
    name: 'more than the context holds',
    config: { models: [{ name: 'gpt-4o', targets: [{ provider: 'simulated', model: 'gpt-4o', context_length: 20 }] }] },
    ask: (client) => client.chat.completions.create({ ...ASK, max_completion_tokens: 1000 }),
    errorClass: 'BadRequestError',
    error: { status: 400, code: 'context_length_exceeded', type: INVALID, param: 'messages' },
  },
  {
    name: 'more than any limit admits',
    provider: { limits: { tpm: 500 } },
    ask: (client) => client.chat.completions.create({ ...ASK, max_completion_tokens: 1000 }),
    errorClass: 'BadRequestError',
    error: { status: 400, code: 'request_exceeds_limit', type: INVALID },
  },
  {
    name: 'a wrong key',
    apiKey: 'sk-nobody',
    ask: create,
    errorClass: 'AuthenticationError',
    error: { status: 401, code: 'invalid_api_key', type: 'authentication_error' },
  },
  {
    name: 'a model that is not for this client',
    apiKey: NARROW_KEY,
    ask: stream,
    errorClass: 'PermissionDeniedError',
    error: { status: 403, code: 'model_not_allowed', type: 'permission_error', param: 'model' },
  },
  {
    name: 'a budget that has no room',
    config: {
      clients: [{ name: 'app', key: CLIENT_KEY, budget: { usd: 0.000001, per: 'month' } }],
      models: [{ name: 'gpt-4o', targets: [{ provider: 'simulated', price: { input: 2.5, output: 10 } }] }],
    },
    ask: stream,
    errorClass: 'RateLimitError',
    error: { status: 429, code: 'client_budget_exceeded', type: 'rate_limit_error' },
  },
  {
    name: 'an unknown model',
    ask: (client) => client.chat.completions.create({ ...ASK, model: 'gpt-5' }),
    errorClass: 'NotFoundError',
    error: { status: 404, code: 'model_not_found', type: INVALID, param: 'model' },
  },
  {
    name: 'an endpoint that Sluice does not have',
    ask: (client) => client.moderations.create({ input: 'x' }),
    errorClass: 'NotFoundError',
    error: { status: 404, code: 'unknown_url', type: INVALID },
  },
  {
    name: 'a wrong method',
    ask: (client) => client.get('/chat/completions'),
    errorClass: 'APIError',
    error: { status: 405, code: 'method_not_supported', type: INVALID },
  },
  {
    name: 'a body over the limit',
    config: { server: { port: 0, body_limit: '1KiB' } },
    ask: (client) => client.chat.completions.create({ ...ASK, user: 'x'.repeat(2000) }),
    errorClass: 'APIError',
    error: { status: 413, code: 'request_too_large', type: INVALID },
  },
  {
    name: 'a body over the limit, still on its way when the answer comes',
    config: { server: { port: 0, body_limit: '1KiB' } },
    ask: (client) => client.chat.completions.create({ ...ASK, user: 'x'.repeat(8_000_000) }),
    errorClass: 'APIError',
    error: { status: 413, code: 'request_too_large', type: INVALID },
  },
  {
    name: 'a body that does not say that it is JSON',
    ask: (client) => client.post('/chat/completions', { body: Buffer.from(JSON.stringify(ASK)) }),
    errorClass: 'APIError',
    error: { status: 415, code: 'unsupported_media_type', type: INVALID },
  },
  {
    name: 'a key that the upstream does not know',
    fault: '401',
    ask: create,
    errorClass: 'InternalServerError',
    error: { status: 503, code: 'no_usable_key', type: 'server_error' },
  },
  {
    name: 'an upstream whose account is spent',
    fault: 'quota_429',
    ask: create,
    errorClass: 'InternalServerError',
    error: { status: 503, code: 'no_usable_key', type: 'server_error' },
  },
  {
    name: 'an upstream that fails',
    fault: '500',
    ask: stream,
    errorClass: 'InternalServerError',
    error: { status: 502, code: 'upstream_error', type: 'server_error' },
  },
  {
    name: 'an upstream that puts an error into a success',
    fault: 'error_in_200',
    ask: create,
    errorClass: 'InternalServerError',
    error: { status: 502, code: 'upstream_error', type: 'server_error' },
  },
  {
    name: 'an upstream whose stream begins with an error',
    fault: 'stream_error_first_event',
    ask: stream,
    errorClass: 'InternalServerError',
    error: { status: 502, code: 'upstream_error', type: 'server_error' },
  },
  {
    name: 'an upstream that answers a stream with a whole answer',
    fault: 'json_instead_of_stream',
    ask: stream,
    errorClass: 'InternalServerError',
    error: { status: 502, code: 'upstream_error', type: 'server_error' },
  },
  {
    name: 'an overloaded upstream',
    fault: '503',
    ask: create,
    errorClass: 'InternalServerError',
    error: { status: 503, code: 'upstream_overloaded', type: 'server_error' },
  },
  {
    name: 'an upstream that does not answer in time',
    fault: 'hang',
    provider: { timeouts: { first_byte: '200ms' } },
    ask: create,
    errorClass: 'InternalServerError',
    error: { status: 504, code: 'upstream_timeout', type: 'server_error' },
  },
];

const JSON_TYPE = { 'content-type': 'application/json' };
/** One attempt upstream: repeats have tests of their own. */
const ONE_ATTEMPT = { retry: { attempts: 1 } };

describe.each(MAJORS)('errors with $name', ({ connect, OpenAI }) => {
  test.each(ROWS)('$name: $errorClass $error.status', async (row) => {
    const { config, provider = {}, fault, apiKey, ask, errorClass, error } = row;
    const simulator = fault ? { faults: [{ kind: fault }] } : {};
    const world = await startWorld({ simulator, provider, config: { defaults: ONE_ATTEMPT, ...config } });
    const failure = await failureOf(ask(connect(world, apiKey === undefined ? {} : { apiKey })));
    expect(failure).toBeInstanceOf(OpenAI[errorClass]);
    expect(failure).toMatchObject({ param: null, ...error, message: expect.stringContaining(String(error.status)) });
    const [request, ...repeats] = world.requests();
    expect(failure).toHaveProperty('requestID', request?.id);
    expect(repeats).toEqual([]);
  });

  test.each([
    { status: 400, errorClass: 'BadRequestError' },
    { status: 404, errorClass: 'NotFoundError' },
    { status: 422, errorClass: 'UnprocessableEntityError' },
  ] as const)('the upstream says that the request is wrong: $errorClass', async ({ status, errorClass }) => {
    const wrong = apiError('No such voice for org-Abc123XYZ.', { type: INVALID, param: 'audio', code: 'bad_voice' });
    const world = await startScriptedWorld((exchange) => exchange.write(answer(JSON.stringify(wrong), {}, status)));
    const failure = await failureOf(create(connect(world)));
    expect(failure).toBeInstanceOf(OpenAI[errorClass]);
    expect(failure).toMatchObject({ status, type: INVALID, param: 'audio', code: 'bad_voice' });
    expect(failure).toHaveProperty('message', expect.not.stringContaining('Abc123XYZ'));
    expect(world.upstream.exchanges.length).toBe(1);
  });

  test('a stream that fails late: what came, then an APIError with the request id', async () => {
    const world = await startWorld({ simulator: { faults: [{ kind: 'stream_error_late', afterTokens: 5 }] } });
    const chunks = await stream(connect(world));
    const pieces: string[] = [];
    const failure = await failureOf(
      (async () => {
        for await (const { choices } of chunks) pieces.push(choices[0]?.delta.content ?? '');
      })(),
    );
    const [request] = world.requests();
    expect(pieces.join('')).toMatch(/\w/);
    expect(failure).toBeInstanceOf(OpenAI.APIError);
    expect(failure).toMatchObject({ code: 'upstream_error', type: 'server_error', requestID: request?.id });
    expect(failure).toHaveProperty('message', expect.stringMatching(new RegExp(`Request id: ${request?.id}$`)));
    expect(world.simulator.ledger().received).toBe(1);
  });

  test.each(['reset_within_body', 'cut_json'] as const)(
    'the stream helper fails when a stream breaks: %s',
    async (kind) => {
      const world = await startWorld({ simulator: { faults: [{ kind }] } });
      const failure = await failureOf(connect(world).chat.completions.stream(ASK).finalMessage());
      expect(failure).toBeInstanceOf(OpenAI.APIError);
      expect(failure).toMatchObject({ code: 'upstream_error', requestID: world.requests()[0]?.id });
    },
  );
});
