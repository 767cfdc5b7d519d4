import type { Usage } from '../provider.ts';
import type { JsonObject } from '../wire.ts';

/** OpenAI's words for why an answer ended. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter';

/** What every piece of one answer carries. */
export interface AnswerHead {
  readonly id: string;
  readonly model: string;
  /** Unix time in seconds. */
  readonly createdS: number;
}

export interface AnsweredCall {
  readonly id: string;
  readonly name: string;
  /** JSON text, as the model wrote it. */
  readonly argumentsJson: string;
  /** Members beside `function` that a client has to send back, such as Gemini's `extra_content`. */
  readonly extra?: JsonObject;
}

/** One choice of a whole answer, in no vendor's format. */
export interface WholeChoice {
  readonly content: string | null;
  readonly reasoning: string | null;
  readonly refusal: string | null;
  readonly toolCalls: readonly AnsweredCall[];
  readonly finishReason: FinishReason;
  readonly logprobs?: unknown;
  /** Further members of the message, such as signatures that a client has to send back. */
  readonly extra?: JsonObject;
}

/** A `chat.completion` as OpenAI writes it; `usage` null: the vendor did not say. */
export function wholeChat(head: AnswerHead, choices: readonly WholeChoice[], usage: Usage | null): JsonObject {
  return {
    id: head.id,
    object: 'chat.completion',
    created: head.createdS,
    model: head.model,
    choices: choices.map((choice, index) => ({
      index,
      message: messageOf(choice),
      logprobs: choice.logprobs ?? null,
      finish_reason: choice.finishReason,
    })),
    ...(usage === null ? {} : { usage: usageOf(usage) }),
  };
}

function messageOf({ content, reasoning, refusal, toolCalls, extra }: WholeChoice): JsonObject {
  return {
    role: 'assistant',
    content: content === '' && toolCalls.length > 0 ? null : content,
    refusal,
    ...(reasoning === null || reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls.map(callOf) }),
    ...extra,
  };
}

function callOf({ id, name, argumentsJson, extra }: AnsweredCall): JsonObject {
  return { id, type: 'function', function: { name, arguments: argumentsJson }, ...extra };
}

/** OpenAI's `usage`: `completion_tokens` includes the reasoning, `prompt_tokens` what came from a cache. */
export function usageOf({ inputTokens, cachedInputTokens, outputTokens, reasoningTokens }: Usage): JsonObject {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cachedInputTokens },
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  };
}

/** A failure in band, for `Provider.classify`: the vendor's own words, wrapped as OpenAI wraps its own. */
export function errorChunk(error: unknown): string {
  return event({ error });
}

/**
 * Writes one streamed answer as OpenAI's chunks. The head may become known late (an id that comes with the first event),
 * so it is given with the first chunk; the role goes out before anything else, once a choice.
 */
export class ChatStreamWriter {
  readonly #head: AnswerHead;
  readonly #opened = new Set<number>();
  #isDone = false;

  constructor(head: AnswerHead) {
    this.#head = head;
  }

  /** The chunk with the role; empty when it has been written. Every other method writes it if need be. */
  open(choice = 0): string {
    if (this.#opened.has(choice)) return '';
    this.#opened.add(choice);
    return this.#chunk(choice, { role: 'assistant', content: '', refusal: null });
  }

  text(piece: string, choice = 0): string {
    return piece === '' ? '' : this.#delta(choice, { content: piece });
  }

  reasoning(piece: string, choice = 0): string {
    return piece === '' ? '' : this.#delta(choice, { reasoning_content: piece });
  }

  refusal(piece: string, choice = 0): string {
    return piece === '' ? '' : this.#delta(choice, { refusal: piece });
  }

  /** A call begins. `index` counts the calls of the choice from 0. */
  toolCall(index: number, call: AnsweredCall, choice = 0): string {
    return this.#delta(choice, { tool_calls: [{ index, ...callOf(call) }] });
  }

  toolArguments(index: number, piece: string, choice = 0): string {
    return piece === '' ? '' : this.#delta(choice, { tool_calls: [{ index, function: { arguments: piece } }] });
  }

  /** Members of a delta that OpenAI has no word for. */
  extra(delta: JsonObject, choice = 0): string {
    return this.#delta(choice, delta);
  }

  /** Logprobs of what was written last, in OpenAI's shape. */
  logprobs(logprobs: unknown, choice = 0): string {
    const piece = { index: choice, delta: {}, logprobs, finish_reason: null };
    return this.open(choice) + event({ ...this.#common(), choices: [piece] });
  }

  finish(reason: FinishReason, choice = 0): string {
    return this.open(choice) + this.#chunk(choice, {}, reason);
  }

  /** The usage chunk, then `[DONE]`; the second time nothing. */
  done(usage: Usage | null): string {
    if (this.#isDone) return '';
    this.#isDone = true;
    const last = usage === null ? '' : event({ ...this.#common(), choices: [], usage: usageOf(usage) });
    return `${last}data: [DONE]\n\n`;
  }

  #delta(choice: number, delta: JsonObject): string {
    return this.open(choice) + this.#chunk(choice, delta);
  }

  #chunk(index: number, delta: JsonObject, finishReason: FinishReason | null = null): string {
    return event({ ...this.#common(), choices: [{ index, delta, logprobs: null, finish_reason: finishReason }] });
  }

  #common(): JsonObject {
    const { id, model, createdS } = this.#head;
    return { id, object: 'chat.completion.chunk', created: createdS, model };
  }
}

function event(json: JsonObject): string {
  return `data: ${JSON.stringify(json)}\n\n`;
}
