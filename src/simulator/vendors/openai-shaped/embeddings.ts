import type { Answer } from '../../api/answer.ts';
import { type InvalidRequest, invalidRequest } from '../../api/failure.ts';
import { PLAIN_REQUEST } from '../../api/model-request.ts';
import type { Endpoint, ModelCallRead } from '../../api/vendor-api.ts';
import { asText, type Json, numberOf } from '../../json.ts';
import { MOST_TEXTS, vectorOf, wholeOnly } from '../vectors.ts';

/** A text, or the tokens of one. */
type EmbedInput = string | readonly number[];

/** Texts and tokens, one or many, as numbers or in base64. `extra` is what a vendor says beside. */
export function embeddingsEndpoint(extra: (answer: Answer) => object = () => ({})): Endpoint {
  return { kind: 'model', read: (body) => readEmbeddings(body, extra) };
}

function readEmbeddings(body: Json, extra: (answer: Answer) => object): ModelCallRead | InvalidRequest {
  const { model } = body;
  if (typeof model !== 'string' || model === '') return invalidRequest('you must provide a model parameter');
  const inputs = inputsOf(body['input']);
  if (inputs === null) return invalidRequest("'$.input' is invalid.", 'input', null);
  const encode = body['encoding_format'] === 'base64' ? base64Of : (vector: readonly number[]) => vector;
  return {
    request: {
      ...PLAIN_REQUEST,
      ...{ model, n: 0, choiceCap: 0, user: body['user'] },
      countPrompt: (count) =>
        inputs.reduce((total, input) => total + (typeof input === 'string' ? count(input) : input.length), 0),
    },
    write: (answer) =>
      wholeOnly(({ input }) => ({
        ...extra(answer),
        object: 'list',
        data: inputs.map((each, index) => ({
          object: 'embedding',
          index,
          embedding: encode(vectorOf(asText(each), dimensionsOf(body))),
        })),
        model,
        usage: { prompt_tokens: input, total_tokens: input },
      })),
  };
}

function dimensionsOf(body: Json): number | null {
  return numberOf(body['dimensions'] ?? body['output_dimension']);
}

function inputsOf(input: unknown): readonly EmbedInput[] | null {
  const list = typeof input === 'string' || isTokens(input) ? [input] : input;
  if (!Array.isArray(list) || list.length === 0 || list.length > MOST_TEXTS) return null;
  return list.every((each) => (typeof each === 'string' && each !== '') || isTokens(each)) ? list : null;
}

function isTokens(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => Number.isInteger(each));
}

/** Little-endian floats of 4 bytes. */
function base64Of(vector: readonly number[]): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString('base64');
}
