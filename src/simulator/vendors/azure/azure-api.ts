import { written } from '../../api/failure.ts';
import type { Endpoint, Headers, Incoming, RateFacts, VendorApi } from '../../api/vendor-api.ts';
import type { UpstreamLimit } from '../../limits/upstream-limit.ts';
import { curlExample } from '../curl-example.ts';
import { withChoices } from '../limit-choices.ts';
import { type ChatDialect, OPENAI_DIALECT } from '../openai-shaped/chat-writer.ts';
import { COMPLETIONS } from '../openai-shaped/completions.ts';
import { embeddingsEndpoint } from '../openai-shaped/embeddings.ts';
import { bearerToken, chatEndpoint, decoded, modelsEndpoint } from '../openai-shaped/endpoints.ts';
import { responsesEndpoint } from '../openai-shaped/responses.ts';
import { AZURE_ERRORS } from './errors.ts';

const DEPLOYMENT = /^\/openai\/deployments\/([^/]+)\/(.+)$/;
const V1 = '/openai/v1/';
const SLICE_MS = 10_000;

/**
 * Azure OpenAI's API: limits are those of a deployment. Tokens are charged by prompt and cap and stay charged until the
 * minute is over; requests are counted in slices of ten seconds; the advice after spent tokens is too short.
 */
export const azureApi: VendorApi = {
  title: 'Azure OpenAI',
  models: ['gpt-4o', 'gpt-4o-mini', 'text-embedding-3-small'],
  basePath: '/openai',
  keyOf: (incoming) => {
    const key = incoming.headers['api-key'];
    return typeof key === 'string' ? key : bearerToken(incoming);
  },
  endpointOf: (incoming) => {
    const [, deployment, rest = ''] = DEPLOYMENT.exec(incoming.path) ?? [];
    const isDated = incoming.query.has('api-version');
    if (deployment === undefined) return v1Endpoint(incoming) ?? (isDated ? datedResponses(incoming) : null);
    const endpoint = isDated ? operation(incoming.method, rest) : null;
    return endpoint === null ? null : ofDeployment(endpoint, decoded(deployment));
  },
  hasCapInContext: true,
  limitsOf: (given) =>
    withChoices(given, {
      rpm: { algorithm: 'slices', sliceMs: SLICE_MS },
      tpm: { algorithm: 'fixed-window', anchor: 0, charge: 'keep', reserve: 'prompt-plus-cap' },
    }),
  headersOf: ({ requestId }) => ({
    'apim-request-id': requestId,
    'x-ms-request-id': requestId,
    'x-request-id': requestId,
    'x-ms-region': 'Local',
  }),
  rateHeaders,
  errorOf: (failure) => written(AZURE_ERRORS, failure),
  errorEvent: (body) => `data: ${JSON.stringify(body)}\n\n`,
  example: (origin, key, model) =>
    curlExample(`${origin}/openai/deployments/${model}/chat/completions?api-version=2024-10-21`, `api-key: ${key}`, {
      messages: [{ role: 'user', content: 'Hello' }],
    }),
};

const SAFE = Object.fromEntries(
  ['hate', 'self_harm', 'sexual', 'violence'].map((name) => [name, { filtered: false, severity: 'safe' }]),
);

const PROMPT_FILTER = [{ prompt_index: 0, content_filter_results: SAFE }];

const DIALECT: ChatDialect = {
  ...OPENAI_DIALECT,
  service: { system_fingerprint: 'fp_simulated' },
  wholeService: { prompt_filter_results: PROMPT_FILTER },
  choice: { logprobs: null, content_filter_results: SAFE },
  // The filter speaks first, of an answer that does not exist yet.
  preamble: { choices: [], created: 0, id: '', model: '', object: '', prompt_filter_results: PROMPT_FILTER },
};

const CHAT = chatEndpoint(DIALECT);
const EMBEDDINGS = embeddingsEndpoint();

function operation(method: string, rest: string): Endpoint | null {
  if (method !== 'POST') return null;
  if (rest === 'chat/completions') return CHAT;
  if (rest === 'completions') return COMPLETIONS;
  return rest === 'embeddings' ? EMBEDDINGS : null;
}

/** Here the model of the body is the deployment. */
function v1Endpoint(incoming: Incoming): Endpoint | null {
  const { method, path } = incoming;
  const endpoint = path.startsWith(V1) ? operation(method, path.slice(V1.length)) : null;
  return endpoint ?? responsesEndpoint(incoming, `${V1}responses`) ?? modelsEndpoint(incoming, `${V1}models`);
}

/** Responses have no deployment in their path on the route of dated versions either. */
function datedResponses(incoming: Incoming): Endpoint | null {
  return responsesEndpoint(incoming, '/openai/responses');
}

/** Whatever model the body names, the deployment answers. */
function ofDeployment(endpoint: Endpoint, deployment: string): Endpoint {
  if (endpoint.kind !== 'model') return endpoint;
  return { kind: 'model', read: (body, stored) => endpoint.read({ ...body, model: deployment }, stored) };
}

/** Resets in whole seconds. Of requests, limit and remainder are those of the slice, whose length is told beside them. */
function rateHeaders({ limits, nowMs, model }: RateFacts): Headers {
  const headers: Record<string, string> = { 'x-ratelimit-key': model };
  const add = (name: string, limit: UpstreamLimit | undefined): void => {
    if (limit === undefined) return;
    const { level, fullInMs } = limit.read(nowMs);
    const periodMs = limit.spec.algorithm === 'slices' ? SLICE_MS : limit.spec.windowMs;
    const share = Math.max(1, Math.floor((limit.spec.limit * periodMs) / limit.spec.windowMs));
    headers[`x-ratelimit-limit-${name}`] = String(share);
    headers[`x-ratelimit-remaining-${name}`] = String(Math.max(0, Math.floor(level + 1e-6)));
    headers[`x-ratelimit-reset-${name}`] = String(Math.ceil(fullInMs / 1000));
    headers[`x-ratelimit-renewalperiod-${name}`] = String(periodMs / 1000);
  };
  add(
    'requests',
    limits.find(({ spec }) => spec.name === 'rpm'),
  );
  add(
    'tokens',
    limits.find(({ spec }) => spec.name === 'tpm'),
  );
  return headers;
}
