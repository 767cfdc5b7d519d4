import { isFailure, written } from '../../api/failure.ts';
import type { Endpoint, Incoming, VendorApi } from '../../api/vendor-api.ts';
import type { Json } from '../../json.ts';
import type { LimitsOptions } from '../../limits/limit-spec.ts';
import { promptTokens } from '../../prompt-size.ts';
import { curlExample } from '../curl-example.ts';
import { withChoices } from '../limit-choices.ts';
import { decoded } from '../openai-shaped/endpoints.ts';
import { ContentWriter, type StreamFormat } from './content-writer.ts';
import { batchEmbedEndpoint, embedEndpoint } from './embed.ts';
import { GEMINI_ERRORS } from './errors.ts';
import { promptOf, readGenerate } from './read-generate.ts';

const MODELS_PATH = /^\/v1(?:beta)?\/models(?:\/([^/]+))?$/;

/** Windows that empty at :00, days that end in California; tokens are those of the prompt alone. */
const MINUTE = { algorithm: 'fixed-window', anchor: 0 } as const;
const DAY = { algorithm: 'fixed-window', anchor: 'pacific-day' } as const;

/** Gemini's API: no headers about limits at all; the body of a 429 says which one, and not always when. */
export const geminiApi: VendorApi = {
  title: 'Gemini',
  models: ['gemini-3-flash', 'gemini-2.5-pro', 'gemini-2.5-flash', 'gemini-embedding-001'],
  basePath: '/v1beta',
  keyOf: ({ headers, query }) => {
    const key = headers['x-goog-api-key'];
    return typeof key === 'string' ? key : query.get('key');
  },
  endpointOf: (incoming) => {
    const [, place] = MODELS_PATH.exec(incoming.path) ?? [null];
    if (place === null) return null;
    return incoming.method === 'GET' ? modelsEndpoint(place) : methodOf(incoming, place ?? '');
  },
  hasCapInContext: false,
  limitsOf: ({ tpm, ...given }) => {
    const limits: LimitsOptions = { ...given, itpm: given.itpm ?? tpm };
    return withChoices(limits, {
      ...{ rpm: MINUTE, itpm: MINUTE, otpm: MINUTE, rpd: DAY },
      tpd: { ...DAY, charge: 'keep', reserve: 'prompt' },
    });
  },
  headersOf: ({ elapsedMs }) => ({ 'server-timing': `gfet4t7; dur=${Math.round(elapsedMs)}` }),
  rateHeaders: () => ({}),
  errorOf: (failure) => written(GEMINI_ERRORS, failure),
  errorEvent: (body) => `data: ${JSON.stringify(body)}\r\n\r\n`,
  example: (origin, key, model) =>
    curlExample(`${origin}/v1beta/models/${model}:generateContent`, `x-goog-api-key: ${key}`, {
      contents: [{ parts: [{ text: 'Hello' }] }],
    }),
};

/** `model:method`, as the last part of the path. */
function methodOf({ query }: Incoming, place: string): Endpoint | null {
  const [name = '', method = ''] = decoded(place).split(':', 2);
  switch (method) {
    case 'generateContent':
      return generateEndpoint(name, null);
    case 'streamGenerateContent':
      return generateEndpoint(name, query.get('alt') === 'sse' ? 'sse' : 'array');
    case 'countTokens':
      return countEndpoint(name);
    case 'embedContent':
      return embedEndpoint(name);
    case 'batchEmbedContents':
      return batchEmbedEndpoint(name);
    default:
      return null;
  }
}

function generateEndpoint(model: string, stream: StreamFormat | null): Endpoint {
  return {
    kind: 'model',
    read: (body) => {
      const request = readGenerate({ model, body, isStreaming: stream !== null });
      return isFailure(request) ? request : { request, write: (answer) => new ContentWriter(answer, stream ?? 'sse') };
    },
  };
}

/** Takes the contents alone, or a whole request. */
function countEndpoint(model: string): Endpoint {
  return {
    kind: 'plain',
    answer: ({ body, models, count, inVendorTokens }) => {
      if (!models.includes(model)) return { kind: 'model_not_found', model };
      const { generateContentRequest, ...rest } = body;
      const totalTokens = inVendorTokens(promptTokens(promptOf((generateContentRequest ?? rest) as Json), count));
      return { json: { totalTokens, promptTokensDetails: [{ modality: 'TEXT', tokenCount: totalTokens }] } };
    },
  };
}

function modelsEndpoint(place: string | undefined): Endpoint {
  const supportedGenerationMethods = ['generateContent', 'countTokens', 'embedContent'];
  const asJson = (model: string) => ({ name: `models/${model}`, displayName: model, supportedGenerationMethods });
  return {
    kind: 'plain',
    answer: ({ models }) => {
      if (place === undefined) return { json: { models: models.map(asJson) } };
      const model = decoded(place);
      return models.includes(model) ? { json: asJson(model) } : { kind: 'model_not_found', model };
    },
  };
}
