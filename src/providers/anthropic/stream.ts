import { ChatStreamWriter, errorChunk } from '../mapping/chat-answer.ts';
import { fieldAt, listAt, numberAt, objectAt, textAt } from '../mapping/json.ts';
import type { Usage } from '../provider.ts';
import type { JsonObject, TranslationContext, UpstreamEvent } from '../wire.ts';
import { finishReasonOf, refusalOf } from './endings.ts';
import { ANSWER_TOOL } from './tools.ts';
import { readMessagesUsage } from './usage.ts';

/** A block that is being written. */
type OpenBlock =
  | { readonly kind: 'text' | 'ignored' }
  | { readonly kind: 'thinking'; thinking: string; signature: string }
  /** `call` null: the input is the answer. `input` is what the block began with, in case nothing follows. */
  | { readonly kind: 'tool'; readonly call: number | null; readonly input: JsonObject; hasInput: boolean };

const IGNORED: OpenBlock = { kind: 'ignored' };

/**
 * One streamed message as a chat's chunks.
 *
 *     message_start ─▶ blocks: start, deltas, stop ─▶ message_delta: stop reason, usage ─▶ message_stop
 *
 * A second `message_start` goes on with the same answer: what its predecessor left open is closed.
 */
export class StreamTranslator {
  readonly #context: TranslationContext;
  #writer: ChatStreamWriter | null = null;
  #messageId: string | null = null;
  #blocks = new Map<number, OpenBlock>();
  #calls = 0;
  #thoughts: JsonObject[] = [];
  #usage: Usage | null = null;
  #isFinished = false;

  constructor(context: TranslationContext) {
    this.#context = context;
  }

  event({ name, json }: UpstreamEvent): string {
    this.#usage = readMessagesUsage(json, this.#usage) ?? this.#usage;
    switch (textAt(json, 'type') ?? name) {
      case 'message_start':
        return this.#begin(objectAt(json, 'message') ?? {});
      case 'content_block_start':
        return this.#start(numberAt(json, 'index') ?? 0, objectAt(json, 'content_block') ?? {});
      case 'content_block_delta':
        return this.#continue(numberAt(json, 'index') ?? 0, objectAt(json, 'delta') ?? {});
      case 'content_block_stop':
        return this.#stop(numberAt(json, 'index') ?? 0);
      case 'message_delta':
        return this.#finish(objectAt(json, 'delta') ?? {});
      case 'message_stop':
        return this.#finish({ stop_reason: 'end_turn' }) + this.#chunks.done(this.#usage);
      case 'error':
        return errorChunk(fieldAt(json, 'error') ?? json);
      default:
        // `ping`, and whatever is added one day.
        return '';
    }
  }

  /** Once it has said why it stopped, an answer is whole, even if its last event gets lost. */
  end(): string {
    return this.#isFinished ? this.#chunks.done(this.#usage) : '';
  }

  get #chunks(): ChatStreamWriter {
    this.#writer ??= new ChatStreamWriter({ id: this.#messageId ?? 'msg', ...this.#context });
    return this.#writer;
  }

  #begin(message: JsonObject): string {
    const id = textAt(message, 'id');
    const isRepeated = this.#messageId !== null && id === this.#messageId;
    if (isRepeated || this.#isFinished) return '';
    const closed = [...this.#blocks.keys()].map((index) => this.#stop(index)).join('');
    if (this.#writer === null) {
      const { createdS, model } = this.#context;
      this.#writer = new ChatStreamWriter({ id: id ?? 'msg', model: textAt(message, 'model') ?? model, createdS });
    }
    this.#messageId = id;
    // Where a server has run tools of its own, the first blocks may be there already.
    const present = listAt(message, 'content').map((block, index) => this.#start(index, block) + this.#stop(index));
    return closed + this.#chunks.open() + present.join('');
  }

  #start(index: number, block: unknown): string {
    if (this.#isFinished) return '';
    switch (textAt(block, 'type')) {
      case 'text':
        this.#blocks.set(index, { kind: 'text' });
        return this.#chunks.text(textAt(block, 'text') ?? '');
      case 'thinking': {
        const thinking = textAt(block, 'thinking') ?? '';
        this.#blocks.set(index, { kind: 'thinking', thinking, signature: textAt(block, 'signature') ?? '' });
        return this.#chunks.reasoning(thinking);
      }
      case 'redacted_thinking':
        this.#thoughts.push({ type: 'redacted_thinking', data: textAt(block, 'data') ?? '' });
        return '';
      case 'tool_use':
        return this.#startTool(index, block);
      default:
        this.#blocks.set(index, IGNORED);
        return '';
    }
  }

  #startTool(index: number, block: unknown): string {
    const [name, input] = [textAt(block, 'name') ?? '', objectAt(block, 'input') ?? {}];
    const isAnswer = name === ANSWER_TOOL;
    const call = isAnswer ? null : this.#calls;
    this.#blocks.set(index, { kind: 'tool', call, input, hasInput: false });
    if (call === null) return '';
    this.#calls += 1;
    return this.#chunks.toolCall(call, { id: textAt(block, 'id') ?? `call_${call}`, name, argumentsJson: '' });
  }

  #continue(index: number, delta: JsonObject): string {
    const block = this.#blocks.get(index) ?? IGNORED;
    switch (block.kind) {
      case 'text':
        return this.#chunks.text(textAt(delta, 'text') ?? '');
      case 'thinking': {
        const piece = textAt(delta, 'thinking') ?? '';
        block.thinking += piece;
        block.signature += textAt(delta, 'signature') ?? '';
        return this.#chunks.reasoning(piece);
      }
      case 'tool':
        return this.#input(block, textAt(delta, 'partial_json') ?? '');
      case 'ignored':
        return '';
    }
  }

  /** The API begins every call with an empty object, and sends nothing more for a tool without arguments. */
  #stop(index: number): string {
    const block = this.#blocks.get(index) ?? IGNORED;
    this.#blocks.delete(index);
    if (block.kind === 'thinking') {
      const { thinking, signature } = block;
      this.#thoughts.push({ type: 'thinking', thinking, signature });
      return '';
    }
    return block.kind === 'tool' && !block.hasInput ? this.#input(block, JSON.stringify(block.input)) : '';
  }

  #input(block: Extract<OpenBlock, { kind: 'tool' }>, piece: string): string {
    if (piece !== '') block.hasInput = true;
    return block.call === null ? this.#chunks.text(piece) : this.#chunks.toolArguments(block.call, piece);
  }

  #finish(delta: JsonObject): string {
    const reason = textAt(delta, 'stop_reason');
    if (reason === null || this.#isFinished) return '';
    const closed = [...this.#blocks.keys()].map((index) => this.#stop(index)).join('');
    this.#isFinished = true;
    // All in one piece: clients that put deltas together by name keep the last one.
    const thoughts = this.#thoughts.length === 0 ? '' : this.#chunks.extra({ thinking_blocks: this.#thoughts });
    const refusal = this.#chunks.refusal(refusalOf(delta) ?? '');
    return closed + thoughts + refusal + this.#chunks.finish(finishReasonOf(reason, this.#calls > 0));
  }
}
