import type { Chat } from '../mapping/chat-request.ts';
import { flagAt, numberAt } from '../mapping/json.ts';
import type { JsonObject } from '../wire.ts';
import type { ModelFacts } from './models.ts';
import { jsonSchema, openApiSchema } from './schema.ts';

/** How the answer is made; null: nothing is asked of it. */
export function generationConfig(chat: Chat, facts: ModelFacts, thinking: JsonObject | null): JsonObject | null {
  const config = {
    maxOutputTokens: chat.outputCapTokens,
    temperature: chat.temperature,
    topP: chat.topP,
    topK: numberAt(chat.rest, 'top_k'),
    stopSequences: chat.stop.length > 0 ? chat.stop : null,
    seed: chat.seed,
    presencePenalty: chat.presencePenalty,
    frequencyPenalty: chat.frequencyPenalty,
    candidateCount: chat.n > 1 ? chat.n : null,
    ...logprobsOf(chat),
    ...formatOf(chat, facts),
    thinkingConfig: thinking,
  };
  const given = Object.entries(config).filter(([, value]) => value !== null);
  return given.length === 0 ? null : Object.fromEntries(given);
}

function logprobsOf({ rest }: Chat): JsonObject {
  if (flagAt(rest, 'logprobs') !== true) return {};
  return { responseLogprobs: true, logprobs: numberAt(rest, 'top_logprobs') };
}

function formatOf({ format }: Chat, { takesJsonSchema }: ModelFacts): JsonObject {
  if (format.kind === 'text') return {};
  const json = { responseMimeType: 'application/json' };
  if (format.kind !== 'json_schema') return json;
  const { schema } = format;
  return takesJsonSchema
    ? { ...json, responseJsonSchema: jsonSchema(schema) }
    : { ...json, responseSchema: openApiSchema(schema) };
}
