import { invalidRequest } from '../../api/failure.ts';
import { PLAIN_REQUEST } from '../../api/model-request.ts';
import type { Endpoint } from '../../api/vendor-api.ts';
import { asObjects, asText, type Json, numberOf } from '../../json.ts';
import { vectorOf, wholeOnly } from '../vectors.ts';

const MOST_TEXTS = 96;
const TYPES = ['float', 'int8', 'uint8', 'binary', 'ubinary', 'base64'];

/** Texts as vectors, in as many kinds as are asked for. */
export const EMBED: Endpoint = {
  kind: 'model',
  read: (body) => {
    const texts = textsOf(body);
    const mistake = mistakeIn(body, texts);
    if (mistake !== null) return invalidRequest(mistake);
    const dimensions = numberOf(body['output_dimension']);
    const types = Array.isArray(body['embedding_types']) ? body['embedding_types'].map(asText) : ['float'];
    return {
      request: {
        ...PLAIN_REQUEST,
        ...{ model: asText(body['model']), n: 0, choiceCap: 0 },
        countPrompt: (count) => texts.reduce((total, text) => total + count(text), 0),
      },
      write: ({ id }) =>
        wholeOnly(({ input }) => {
          const vectors = texts.map((text) => vectorOf(text, dimensions));
          return {
            id,
            texts,
            embeddings: Object.fromEntries(types.map((type) => [type, vectors.map((vector) => asType(vector, type))])),
            meta: { api_version: { version: '2' }, billed_units: { input_tokens: input } },
            response_type: 'embeddings_by_type',
          };
        }),
    };
  },
};

function mistakeIn(body: Json, texts: readonly string[]): string | null {
  if (typeof body['model'] !== 'string') return 'model is required.';
  if (typeof body['input_type'] !== 'string') return 'input_type is required.';
  if (texts.length === 0) return 'texts or inputs is required.';
  if (texts.length > MOST_TEXTS) return `at most ${MOST_TEXTS} texts may be given.`;
  const unknown = [body['embedding_types'] ?? []].flat().find((type) => !TYPES.includes(asText(type)));
  return unknown === undefined ? null : `embedding type ${asText(unknown)} is not known.`;
}

/** `texts`, or `inputs` with contents of parts. */
function textsOf({ texts, inputs }: Json): string[] {
  if (Array.isArray(texts)) return texts.map(asText);
  return asObjects(inputs).map(({ content }) =>
    asObjects(content)
      .map(({ text }) => asText(text ?? ''))
      .join('\n'),
  );
}

function asType(vector: readonly number[], type: string): readonly number[] | string {
  if (type === 'float') return vector;
  if (type === 'base64') return Buffer.from(Float32Array.from(vector).buffer).toString('base64');
  const offset = type.startsWith('u') ? 128 : 0;
  return vector.map((value) => Math.max(-128, Math.min(127, Math.round(value * 127))) + offset);
}
