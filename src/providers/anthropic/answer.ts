import { type WholeChoice, wholeChat } from '../mapping/chat-answer.ts';
import { isObject, listAt, objectAt, textAt } from '../mapping/json.ts';
import type { AnswerTranslator, JsonObject, TranslationContext, UpstreamEvent } from '../wire.ts';
import { finishReasonOf, refusalOf } from './endings.ts';
import { StreamTranslator } from './stream.ts';
import { ANSWER_TOOL } from './tools.ts';
import { readMessagesUsage } from './usage.ts';

/** Turns messages into chats, whole and streamed. */
export class MessagesTranslator implements AnswerTranslator {
  readonly #context: TranslationContext;
  readonly #stream: StreamTranslator;

  constructor(context: TranslationContext) {
    this.#context = context;
    this.#stream = new StreamTranslator(context);
  }

  whole(json: JsonObject): JsonObject {
    const { model, createdS } = this.#context;
    const head = { id: textAt(json, 'id') ?? 'msg', model: textAt(json, 'model') ?? model, createdS };
    return wholeChat(head, [choiceOf(json)], readMessagesUsage(json, null));
  }

  event(event: UpstreamEvent): string {
    return this.#stream.event(event);
  }

  end(): string {
    return this.#stream.end();
  }
}

function choiceOf(message: JsonObject): WholeChoice {
  const blocks = listAt(message, 'content').filter(isObject);
  const uses = blocks.filter(({ type }) => type === 'tool_use');
  const answers = uses.filter(({ name }) => name === ANSWER_TOOL);
  const calls = uses.filter(({ name }) => name !== ANSWER_TOOL);
  const texts = [...blocks.map((block) => textIn(block, 'text')), ...answers.map(inputOf)].filter(
    (text) => text !== '',
  );
  const thoughts = blocks.filter(isThought);
  return {
    content: texts.length > 0 || calls.length === 0 ? texts.join('') : null,
    reasoning: thoughts.map((block) => textIn(block, 'thinking')).join('') || null,
    refusal: refusalOf(message),
    toolCalls: calls.map((call, index) => ({
      id: textAt(call, 'id') ?? `call_${index}`,
      name: textAt(call, 'name') ?? '',
      argumentsJson: inputOf(call),
    })),
    finishReason: finishReasonOf(textAt(message, 'stop_reason'), calls.length > 0),
    ...(thoughts.length === 0 ? {} : { extra: { thinking_blocks: thoughts } }),
  };
}

/** Blocks that a client has to send back for the model to go on from its thoughts. */
function isThought({ type }: JsonObject): boolean {
  return type === 'thinking' || type === 'redacted_thinking';
}

function textIn(block: JsonObject, name: 'text' | 'thinking'): string {
  return block['type'] === name ? (textAt(block, name) ?? '') : '';
}

function inputOf(use: JsonObject): string {
  return JSON.stringify(objectAt(use, 'input') ?? {});
}
