import { ChatStreamWriter, errorChunk } from '../mapping/chat-answer.ts';
import { fieldAt, isObject, listAt, numberAt, textAt } from '../mapping/json.ts';
import type { Usage } from '../provider.ts';
import type { TranslationContext } from '../wire.ts';
import { argumentsIn, headOf, saidIn } from './content.ts';
import { finishReasonOf, readError } from './failure.ts';
import { callId } from './messages.ts';
import { readUsage } from './usage.ts';

interface OpenCall {
  /** As the vendor counts, where it does. */
  readonly place: number | null;
  readonly id: string;
  hasArguments: boolean;
}

interface OpenChoice {
  readonly calls: OpenCall[];
  isFinished: boolean;
}

/**
 * One streamed answer as OpenAI's chunks. Calls come whole or in pieces, with or without an index. The answer is complete
 * once every choice that began has said why it ended.
 */
export class StreamTranslator {
  readonly #context: TranslationContext;
  readonly #choices = new Map<number, OpenChoice>();
  #writer: ChatStreamWriter | null = null;
  #usage: Usage | null = null;

  constructor(context: TranslationContext) {
    this.#context = context;
  }

  event(json: unknown): string {
    const error = readError(json);
    if (error !== null) return errorChunk(fieldAt(json, 'error') ?? (isChunk(json) ? error : json));
    this.#usage = readUsage(json) ?? this.#usage;
    const choices = listAt(json, 'choices').filter(isObject);
    const chunks = this.#chunksFor(json);
    return choices.map((choice) => this.#continue(choice, chunks)).join('');
  }

  end(): string {
    const choices = [...this.#choices.values()];
    const isWhole = choices.length > 0 && choices.every(({ isFinished }) => isFinished);
    return isWhole && this.#writer !== null ? this.#writer.done(this.#usage) : '';
  }

  #chunksFor(json: unknown): ChatStreamWriter {
    this.#writer ??= new ChatStreamWriter(headOf(json, this.#context));
    return this.#writer;
  }

  #continue(source: unknown, chunks: ChatStreamWriter): string {
    const index = numberAt(source, 'index') ?? 0;
    const choice = this.#choices.get(index) ?? { calls: [], isFinished: false };
    this.#choices.set(index, choice);
    if (choice.isFinished) return '';
    const delta = fieldAt(source, 'delta');
    const said = saidIn(fieldAt(delta, 'content')).map(({ kind, text }) =>
      kind === 'text' ? chunks.text(text, index) : chunks.reasoning(text, index),
    );
    const called = listAt(delta, 'tool_calls').map((call) => callChunks(call, choice, { chunks, index }));
    const reason = textAt(source, 'finish_reason');
    const ending = reason === null ? '' : finish(reason, choice, { chunks, index });
    return [chunks.open(index), ...said, ...called, ending].join('');
  }
}

interface Destination {
  readonly chunks: ChatStreamWriter;
  /** Of the choice. */
  readonly index: number;
}

function callChunks(source: unknown, { calls }: OpenChoice, { chunks, index }: Destination): string {
  const called = fieldAt(source, 'function');
  const known = placeOf(source, calls);
  const began = known < 0 ? begin(source, calls) : null;
  const place = known < 0 ? calls.length - 1 : known;
  const opening =
    began === null
      ? ''
      : chunks.toolCall(place, { id: began.id, name: textAt(called, 'name') ?? '', argumentsJson: '' }, index);
  const piece = argumentsIn(called);
  const call = calls[place];
  if (call !== undefined && piece !== '') call.hasArguments = true;
  return opening + chunks.toolArguments(place, piece, index);
}

/** Which call a piece goes on with: that of its id, else that of its index, else the last; -1: it begins one. */
function placeOf(source: unknown, calls: readonly OpenCall[]): number {
  const id = idOf(source);
  if (id !== null) return calls.findIndex((call) => call.id === id);
  if (textAt(fieldAt(source, 'function'), 'name')) return -1;
  const place = numberAt(source, 'index');
  return place === null ? calls.length - 1 : calls.findLastIndex((call) => call.place === place);
}

function begin(source: unknown, calls: OpenCall[]): OpenCall {
  const id = idOf(source) ?? callId(`call ${calls.length}`);
  const call = { id, place: numberAt(source, 'index'), hasArguments: false };
  calls.push(call);
  return call;
}

/** Where it has none, older versions write the word. */
function idOf(source: unknown): string | null {
  const id = textAt(source, 'id');
  return id === '' || id === 'null' ? null : id;
}

function finish(reason: string, choice: OpenChoice, { chunks, index }: Destination): string {
  choice.isFinished = true;
  const empty = choice.calls.map((call, place) => (call.hasArguments ? '' : chunks.toolArguments(place, '{}', index)));
  return empty.join('') + chunks.finish(finishReasonOf(reason, choice.calls.length > 0), index);
}

function isChunk(json: unknown): boolean {
  return listAt(json, 'choices').length > 0;
}
