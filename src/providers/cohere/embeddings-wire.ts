import { embeddingsList } from '../mapping/embeddings-answer.ts';
import { refusesInput, textsToEmbed } from '../mapping/embeddings-request.ts';
import { fieldAt, isObject, listAt, numberAt, parsed, withoutNulls } from '../mapping/json.ts';
import { spokenFields, wordless } from '../mapping/wordless.ts';
import type { PreparedCall, ProviderCall, Wire } from '../wire.ts';
import { addressOf } from './address.ts';
import { readUsage } from './usage.ts';

/**
 * Vectors over `POST /v2/embed` (docs.cohere.com/reference/embed). The API has to be told what they are for, and OpenAI's
 * clients don't say: what is stored to be searched is the default, and `input_type` in a request names anything else.
 */
export const embeddingsWire: Wire = {
  prepare,
  refuses: (body) => refusesInput(body, MOST_TEXTS),
  translator: (context) => ({
    whole: (json) => {
      const vectors = listAt(fieldAt(json, 'embeddings'), 'float').map((each) => (Array.isArray(each) ? each : []));
      return embeddingsList({ vectors, inputTokens: readUsage(json)?.inputTokens ?? null }, context);
    },
    // No stream of vectors exists.
    event: () => '',
    end: () => '',
  }),
};

const USUAL_INPUT_TYPE = 'search_document';
const MOST_TEXTS = 96;
const SPOKEN: ReadonlySet<string> = new Set(['input_type', 'truncate', 'max_tokens', 'priority']);

function prepare(call: ProviderCall): PreparedCall {
  const json = parsed(call.body.toString());
  const source = isObject(json) ? json : {};
  const { model: _model, input: _input, dimensions: _dimensions, encoding_format: _format, ...rest } = source;
  const body = withoutNulls({
    model: call.model,
    texts: textsToEmbed(source),
    input_type: USUAL_INPUT_TYPE,
    // Base64 is made of these.
    embedding_types: ['float'],
    output_dimension: numberAt(source, 'dimensions'),
    ...spokenFields(withoutNulls(rest), SPOKEN),
  });
  return {
    ...addressOf(call, '/embed'),
    body: Buffer.from(JSON.stringify(body)),
    dropped: wordless(withoutNulls(rest), SPOKEN),
  };
}
