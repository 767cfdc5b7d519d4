import { isObject, listAt, numberAt, parsed, textAt } from '../mapping/json.ts';
import type { JsonObject, PreparedCall, ProviderCall, TranslationContext, Unsupported, Wire } from '../wire.ts';
import { addressOf, resourceOf } from './address.ts';
import { readUsage } from './usage.ts';

/** Vectors over batchEmbedContents (ai.google.dev/api/embeddings), one request for each text. */
export const embeddingsWire: Wire = {
  prepare,
  refuses,
  translator: (context) => ({
    whole: (json) => whole(json, context),
    // No stream of vectors exists.
    event: () => '',
    end: () => '',
  }),
};

/** Fields that are mapped, and one that is the door's own business. */
const MAPPED: ReadonlySet<string> = new Set(['model', 'input', 'dimensions', 'encoding_format', 'task_type']);

function prepare(call: ProviderCall): PreparedCall {
  const body = parsed(call.body.toString());
  const source = isObject(body) ? body : {};
  const dimensions = numberAt(source, 'dimensions');
  const taskType = textAt(source, 'task_type');
  const requests = textsOf(source).map((text) => ({
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

function refuses(body: JsonObject): Unsupported | null {
  const { input } = body;
  const isText = typeof input === 'string' || listAt(body, 'input').every((item) => typeof item === 'string');
  if (isText) return null;
  return { param: 'input', message: 'it takes texts, not token ids: send `input` as a string or a list of strings.' };
}

function textsOf({ input }: JsonObject): readonly string[] {
  if (typeof input === 'string') return [input];
  return Array.isArray(input) ? input.filter((item): item is string => typeof item === 'string') : [];
}

/** Older models don't say what they read; typed clients want a number, so it is 0. */
function whole(json: JsonObject, { model }: TranslationContext): JsonObject {
  const tokens = readUsage(json, null)?.inputTokens ?? 0;
  return {
    object: 'list',
    data: listAt(json, 'embeddings').map((each, index) => ({
      object: 'embedding',
      index,
      embedding: listAt(each, 'values'),
    })),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}
