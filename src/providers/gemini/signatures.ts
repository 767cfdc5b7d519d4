import { fieldAt, textAt } from '../mapping/json.ts';
import type { JsonObject } from '../wire.ts';

/**
 * Newer models sign their thoughts, and want the signature back with the call or the text that came of them. Clients keep
 * it where the vendor's own endpoint in OpenAI's format puts it: `extra_content.google.thought_signature`.
 */
export function signatureIn(source: JsonObject): string | null {
  return textAt(fieldAt(fieldAt(source, 'extra_content'), 'google'), 'thought_signature') || null;
}

export function withSignature(signature: string): JsonObject {
  return { extra_content: { google: { thought_signature: signature } } };
}

/** Stands for a signature that got lost, or calls that another vendor's model made (ai.google.dev/gemini-api/docs/thought-signatures). */
export const NO_SIGNATURE = 'skip_thought_signature_validator';
