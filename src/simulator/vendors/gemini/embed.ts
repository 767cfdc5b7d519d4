import { invalidRequest } from '../../api/failure.ts';
import { PLAIN_REQUEST } from '../../api/model-request.ts';
import type { Endpoint } from '../../api/vendor-api.ts';
import { asObject, asObjects, asText, type Json, numberOf } from '../../json.ts';
import { vectorOf, wholeOnly } from '../vectors.ts';

const MOST_REQUESTS = 100;

interface Embed {
  readonly text: string;
  readonly dimensions: number | null;
}

/** One text. */
export function embedEndpoint(model: string): Endpoint {
  return embedding(
    model,
    (body) => [embedOf(body)],
    ([values]) => ({ embedding: values }),
  );
}

/** Several, each a request of its own. */
export function batchEmbedEndpoint(model: string): Endpoint {
  return embedding(
    model,
    (body) => asObjects(body['requests']).map(embedOf),
    (all) => ({ embeddings: all }),
  );
}

function embedding(
  model: string,
  textsOf: (body: Json) => readonly Embed[],
  answerOf: (vectors: readonly { readonly values: number[] }[]) => object,
): Endpoint {
  return {
    kind: 'model',
    read: (body) => {
      const embeds = textsOf(body);
      if (embeds.length === 0 || embeds.some(({ text }) => text === '')) {
        return invalidRequest('* EmbedContentRequest.content: contents is not specified');
      }
      if (embeds.length > MOST_REQUESTS) {
        return invalidRequest(
          `* BatchEmbedContentsRequest.requests: at most ${MOST_REQUESTS} requests can be in one batch`,
        );
      }
      return {
        request: {
          ...PLAIN_REQUEST,
          ...{ model, n: 0, choiceCap: 0 },
          countPrompt: (count) => embeds.reduce((total, { text }) => total + count(text), 0),
        },
        write: () =>
          wholeOnly(() => answerOf(embeds.map(({ text, dimensions }) => ({ values: vectorOf(text, dimensions) })))),
      };
    },
  };
}

function embedOf(body: Json): Embed {
  const parts = asObjects(asObject(body['content'])['parts']);
  const text = parts.map((part) => asText(part['text'] ?? '')).join('\n');
  return { text, dimensions: numberOf(body['outputDimensionality']) };
}
