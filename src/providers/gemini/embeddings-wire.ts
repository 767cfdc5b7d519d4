import { embeddingsList } from '../mapping/embeddings-answer.ts';
import { refusesInput, textsToEmbed } from '../mapping/embeddings-request.ts';
import { isObject, listAt, numberAt, parsed, textAt } from '../mapping/json.ts';
import type { PreparedCall, ProviderCall, Wire } from '../wire.ts';
import { addressOf, resourceOf } from './address.ts';
import { readUsage } from './usage.ts';

/** Vectors over batchEmbedContents (ai.google.dev/api/embeddings), one request for each text. */
export const embeddingsWire: Wire = {
  prepare,
  refuses: (body) => refusesInput(body, MOST_TEXTS),
  translator: (context) => ({
    whole: (json) => {
      const vectors = listAt(json, 'embeddings').map((each) => listAt(each, 'values'));
      // Older models don't say what they read.
      return embeddingsList({ vectors, inputTokens: readUsage(json, null)?.inputTokens ?? null }, context);
    },
    // No stream of vectors exists.
    event: () => '',
    end: () => '',
  }),
};

const MOST_TEXTS = 100;

/** Fields that are mapped, and one that is the door's own business. */
const MAPPED: ReadonlySet<string> = new Set(['model', 'input', 'dimensions', 'encoding_format', 'task_type']);

function prepare(call: ProviderCall): PreparedCall {
  const body = parsed(call.body.toString());
  const source = isObject(body) ? body : {};
  const dimensions = numberAt(source, 'dimensions');
  const taskType = textAt(source, 'task_type');
  const requests = textsToEmbed(source).map((text) => ({
    model: resourceOf(call.model),
    content: { parts: [{ text }] },
    ...(dimensions === null ? {} : { outputDimensionality: dimensions }),
    ...(taskType === null ? {} : { taskType }),
  }));
  return {
    ...addressOf(call, 'batchEmbedContents'),
    body: Buffer.from(JSON.stringify({ requests })),
    dropped: Object.entries(source).flatMap(([name, value]) => (MAPPED.has(name) || value === null ? [] : [name])),
  };
}
