import { type AnsweredCall, type WholeChoice, wholeChat } from '../mapping/chat-answer.ts';
import { fieldAt, isObject, listAt, objectAt, textAt } from '../mapping/json.ts';
import type { AnswerTranslator, JsonObject, TranslationContext, UpstreamEvent } from '../wire.ts';
import { finishReasonOf } from './failure.ts';
import { logprobsOf } from './logprobs.ts';
import { StreamTranslator } from './stream.ts';
import { readUsage } from './usage.ts';

/** Turns this vendor's chats into OpenAI's, whole and streamed. */
export class CohereChat implements AnswerTranslator {
  readonly #context: TranslationContext;
  readonly #stream: StreamTranslator;

  constructor(context: TranslationContext) {
    this.#context = context;
    this.#stream = new StreamTranslator(context);
  }

  whole(json: JsonObject): JsonObject {
    const { model, createdS } = this.#context;
    const head = { id: textAt(json, 'id') || 'chatcmpl', model, createdS };
    return wholeChat(head, [choiceOf(json)], readUsage(json));
  }

  event(event: UpstreamEvent): string {
    return this.#stream.event(event);
  }

  end(): string {
    return this.#stream.end();
  }
}

function choiceOf(json: JsonObject): WholeChoice {
  const message = objectAt(json, 'message') ?? {};
  const blocks = listAt(message, 'content').filter(isObject);
  const toolCalls = listAt(message, 'tool_calls').filter(isObject).map(callOf);
  const texts = [textAt(message, 'tool_plan') ?? '', ...blocks.map((block) => textAt(block, 'text') ?? '')];
  const citations = listAt(message, 'citations');
  return {
    content: texts.join(''),
    reasoning: blocks.map((block) => textAt(block, 'thinking') ?? '').join('') || null,
    refusal: null,
    toolCalls,
    finishReason: finishReasonOf(textAt(json, 'finish_reason'), toolCalls.length > 0),
    logprobs: logprobsOf(json['logprobs'] ?? []),
    ...(citations.length === 0 ? {} : { extra: { citations } }),
  };
}

function callOf(call: JsonObject, index: number): AnsweredCall {
  const called = fieldAt(call, 'function');
  const json = textAt(called, 'arguments') ?? '';
  return {
    id: textAt(call, 'id') || `call_${index}`,
    name: textAt(called, 'name') ?? '',
    // A tool without arguments is called with nothing, or with the word for it.
    argumentsJson: json === '' || json === 'null' ? '{}' : json,
  };
}
