import type { JsonObject, TranslationContext } from '../wire.ts';

interface Vectors {
  /** In the order of the texts. */
  readonly vectors: readonly (readonly unknown[])[];
  /** LLM tokens of all texts; null: the vendor doesn't say. */
  readonly inputTokens: number | null;
}

/** A list of vectors as OpenAI writes it. Typed clients want a number of tokens, so an estimate stands in for one. */
export function embeddingsList({ vectors, inputTokens }: Vectors, context: TranslationContext): JsonObject {
  const tokens = inputTokens ?? context.inputTokens ?? 0;
  return {
    object: 'list',
    data: vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: context.wantsBase64 ? base64Of(vector) : vector,
    })),
    model: context.model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

/** 32-bit floats, the little end first, as OpenAI's clients read them. */
function base64Of(vector: readonly unknown[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(Number(value), index * 4);
  return bytes.toString('base64');
}
