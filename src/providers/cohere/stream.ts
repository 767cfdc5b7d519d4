import { ChatStreamWriter, errorChunk } from '../mapping/chat-answer.ts';
import { fieldAt, numberAt, objectAt, textAt } from '../mapping/json.ts';
import type { Usage } from '../provider.ts';
import type { JsonObject, TranslationContext, UpstreamEvent } from '../wire.ts';
import { finishReasonOf, readError } from './failure.ts';
import { logprobsOf } from './logprobs.ts';
import { readUsage } from './usage.ts';

/** A call that is being written. */
interface OpenCall {
  /** In the client's count. */
  readonly place: number;
  /** What has come of its arguments and is not told yet, since it may turn out to be `null`. */
  held: string;
  hasArguments: boolean;
}

/**
 * One streamed answer as a chat's chunks.
 *
 *     message-start ─▶ content, tool plan, tool calls: start, deltas, end; citations ─▶ message-end: finish reason, usage
 */
export class StreamTranslator {
  readonly #context: TranslationContext;
  readonly #calls = new Map<number, OpenCall>();
  readonly #citations: unknown[] = [];
  #writer: ChatStreamWriter | null = null;
  #callCount = 0;
  #usage: Usage | null = null;
  #isFinished = false;

  constructor(context: TranslationContext) {
    this.#context = context;
  }

  event({ name, json }: UpstreamEvent): string {
    const error = readError(json);
    if (error !== null) return errorChunk(error);
    if (this.#isFinished) return '';
    const delta = objectAt(json, 'delta');
    const message = objectAt(delta, 'message') ?? {};
    switch (textAt(json, 'type') ?? name) {
      case 'message-start':
        return this.#begin(textAt(json, 'id'));
      case 'content-start':
      case 'content-delta':
        return this.#content(fieldAt(message, 'content'), fieldAt(json, 'logprobs'));
      case 'tool-plan-delta':
        return this.#chunks.text(textAt(message, 'tool_plan') ?? '');
      case 'tool-call-start':
        return this.#startCall(numberAt(json, 'index') ?? 0, objectAt(message, 'tool_calls') ?? {});
      case 'tool-call-delta':
        return this.#continueCall(numberAt(json, 'index') ?? 0, fieldAt(message, 'tool_calls'));
      case 'tool-call-end':
        return this.#endCall(numberAt(json, 'index') ?? 0);
      case 'citation-start':
        this.#citations.push(...[fieldAt(message, 'citations') ?? []].flat());
        return '';
      case 'message-end':
        return this.#finish(json, delta);
      default:
        // `content-end`, `citation-end`, and whatever is added one day.
        return '';
    }
  }

  /** The last event says all there is to say. */
  end(): string {
    return '';
  }

  get #chunks(): ChatStreamWriter {
    this.#writer ??= new ChatStreamWriter({ id: 'chatcmpl', ...this.#context });
    return this.#writer;
  }

  #begin(id: string | null): string {
    this.#writer ??= new ChatStreamWriter({ id: id || 'chatcmpl', ...this.#context });
    return this.#chunks.open();
  }

  #content(content: unknown, logprobs: unknown): string {
    const said =
      this.#chunks.reasoning(textAt(content, 'thinking') ?? '') + this.#chunks.text(textAt(content, 'text') ?? '');
    const told = logprobsOf(logprobs ?? []);
    return told === null ? said : said + this.#chunks.logprobs(told);
  }

  #startCall(index: number, source: JsonObject): string {
    const left = this.#endCall(index);
    const call = { place: this.#callCount, held: '', hasArguments: false };
    this.#callCount += 1;
    this.#calls.set(index, call);
    const name = textAt(fieldAt(source, 'function'), 'name') ?? '';
    const id = textAt(source, 'id') || `call_${call.place}`;
    const opening = this.#chunks.toolCall(call.place, { id, name, argumentsJson: '' });
    return left + opening + this.#continueCall(index, source);
  }

  #continueCall(index: number, source: unknown): string {
    const call = this.#calls.get(index);
    if (call === undefined) return '';
    call.held += textAt(fieldAt(source, 'function'), 'arguments') ?? '';
    if (!call.hasArguments && 'null'.startsWith(call.held)) return '';
    const piece = call.held;
    call.held = '';
    call.hasArguments = true;
    return this.#chunks.toolArguments(call.place, piece);
  }

  #endCall(index: number): string {
    const call = this.#calls.get(index);
    this.#calls.delete(index);
    if (call === undefined || call.hasArguments) return '';
    // A tool without arguments is called with nothing, or with the word for it.
    return this.#chunks.toolArguments(call.place, call.held === '' || call.held === 'null' ? '{}' : call.held);
  }

  #finish(json: unknown, delta: JsonObject | null): string {
    this.#usage = readUsage(json);
    this.#isFinished = true;
    const left = [...this.#calls.keys()].map((index) => this.#endCall(index)).join('');
    // All in one piece: clients that put deltas together by name keep the last one.
    const cited = this.#citations.length === 0 ? '' : this.#chunks.extra({ citations: this.#citations });
    const reason = finishReasonOf(textAt(delta, 'finish_reason'), this.#callCount > 0);
    return left + cited + this.#chunks.finish(reason) + this.#chunks.done(this.#usage);
  }
}
