import { embeddingsList } from '../mapping/embeddings-answer.ts';
import { refusesInput } from '../mapping/embeddings-request.ts';
import { isObject, listAt, numberAt, parsed, withoutNulls } from '../mapping/json.ts';
import { spokenFields, wordless } from '../mapping/wordless.ts';
import type { JsonObject, PreparedCall, ProviderCall, Wire } from '../wire.ts';
import { addressOf } from './address.ts';
import { readUsage } from './usage.ts';

/** Vectors in OpenAI's format, but for the name of `dimensions`. They come as numbers; base64 is made of them here. */
export const embeddingsWire: Wire = {
  prepare,
  // How many it takes is a matter of their length in all.
  refuses: (body) => refusesInput(body, Number.POSITIVE_INFINITY),
  translator: (context) => ({
    whole: (json) => {
      const vectors = listAt(json, 'data').filter(isObject).sort(byIndex);
      const inputTokens = readUsage(json)?.inputTokens ?? null;
      return embeddingsList({ vectors: vectors.map((each) => listAt(each, 'embedding')), inputTokens }, context);
    },
    // No stream of vectors exists.
    event: () => '',
    end: () => '',
  }),
};

const SPOKEN: ReadonlySet<string> = new Set(['output_dimension', 'output_dtype', 'metadata']);

function prepare(call: ProviderCall): PreparedCall {
  const json = parsed(call.body.toString());
  const {
    model: _model,
    input,
    dimensions: _dimensions,
    encoding_format: _format,
    ...rest
  } = isObject(json) ? json : {};
  const dimensions = numberAt(json, 'dimensions');
  const body = { model: call.model, input, output_dimension: dimensions, ...spokenFields(rest, SPOKEN) };
  return {
    ...addressOf(call, '/embeddings'),
    body: Buffer.from(JSON.stringify(withoutNulls(body))),
    dropped: wordless(withoutNulls(rest), SPOKEN),
  };
}

function byIndex(one: JsonObject, other: JsonObject): number {
  return (numberAt(one, 'index') ?? 0) - (numberAt(other, 'index') ?? 0);
}
