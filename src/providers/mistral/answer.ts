import { type WholeChoice, wholeChat } from '../mapping/chat-answer.ts';
import { fieldAt, isObject, listAt, textAt } from '../mapping/json.ts';
import type { AnswerTranslator, JsonObject, TranslationContext, UpstreamEvent } from '../wire.ts';
import { argumentsIn, headOf, joined, saidIn } from './content.ts';
import { finishReasonOf } from './failure.ts';
import { callId } from './messages.ts';
import { StreamTranslator } from './stream.ts';
import { readUsage } from './usage.ts';

/** Turns this vendor's chats into OpenAI's, whole and streamed. */
export class MistralChat implements AnswerTranslator {
  readonly #context: TranslationContext;
  readonly #stream: StreamTranslator;

  constructor(context: TranslationContext) {
    this.#context = context;
    this.#stream = new StreamTranslator(context);
  }

  whole(json: JsonObject): JsonObject {
    const head = headOf(json, this.#context);
    return wholeChat(head, listAt(json, 'choices').filter(isObject).map(choiceOf), readUsage(json));
  }

  event(event: UpstreamEvent): string {
    return this.#stream.event(event.json);
  }

  end(): string {
    return this.#stream.end();
  }
}

function choiceOf(choice: JsonObject): WholeChoice {
  const message = fieldAt(choice, 'message');
  const said = saidIn(fieldAt(message, 'content'));
  const toolCalls = listAt(message, 'tool_calls').map((call, index) => ({
    id: textAt(call, 'id') ?? callId(`call ${index}`),
    name: textAt(fieldAt(call, 'function'), 'name') ?? '',
    argumentsJson: argumentsIn(fieldAt(call, 'function')) || '{}',
  }));
  return {
    content: joined(said, 'text'),
    reasoning: joined(said, 'reasoning') || null,
    refusal: null,
    toolCalls,
    finishReason: finishReasonOf(textAt(choice, 'finish_reason'), toolCalls.length > 0),
  };
}
