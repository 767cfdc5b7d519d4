import type { UpstreamError } from '../provider.ts';
import { fieldOf, isObject, jsonText, textOf } from './json.ts';

/** Errors come wrapped in errors, and JSON in strings (LM Studio); nobody wraps deeper than this. */
const MAX_WRAPS = 3;

/**
 * The error in a body or an event: `{error: {...}}`, `{error: "text"}`, an array around it (Gemini's OpenAI endpoint), the same
 * keys at the top level (Mistral, old vLLM, Cerebras), `{detail}` (FastAPI), `{fault}` (gateways). Null when it is no error.
 */
export function readErrorBody(json: unknown): UpstreamError | null {
  return unwrap(json, MAX_WRAPS);
}

function unwrap(json: unknown, wrapsLeft: number): UpstreamError | null {
  if (wrapsLeft === 0) return null;
  if (Array.isArray(json)) return unwrap(json[0], wrapsLeft - 1);
  if (!isObject(json)) return null;
  const { error } = json;
  if (typeof error === 'string' && error !== '') return unwrap(parse(error), wrapsLeft - 1) ?? describe(json, error);
  if (typeof error === 'object' && error !== null) return unwrap(error, wrapsLeft - 1) ?? describe(error);
  return readBare(json);
}

/** An error without a wrap around it, which an answer to a chat must not be taken for. */
function readBare(json: Readonly<Record<string, unknown>>): UpstreamError | null {
  if (json['choices'] !== undefined) return null;
  const reason = json['message'] ?? json['detail'] ?? fieldOf(json['fault'], 'faultstring');
  return reason === undefined && json['object'] !== 'error' ? null : describe(json, reason);
}

function describe(source: unknown, reason: unknown = fieldOf(source, 'message')): UpstreamError {
  return {
    message: messageOf(reason),
    // Google calls its type `status`.
    type: textOf(fieldOf(source, 'type')) ?? textOf(fieldOf(source, 'status')),
    param: textOf(fieldOf(source, 'param')),
    code: textOf(fieldOf(source, 'code')),
  };
}

/** Some validators put a list of findings where others put a sentence. */
function messageOf(reason: unknown): string {
  return textOf(reason) ?? (reason === undefined || reason === null ? '' : jsonText(reason));
}

function parse(text: string): unknown {
  try {
    return text.startsWith('{') ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}
