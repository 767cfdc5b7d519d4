import type { Usage } from '../provider.ts';
import type { JsonObject } from '../wire.ts';
import { type Ending, usageOf } from './endings.ts';

interface MessageHead {
  readonly id: string;
  readonly model: string;
  /** As far as it is known when the answer begins. */
  readonly usage: Usage;
}

/**
 * Writes one streamed answer as events of the Messages API. Its blocks come one after the other, and each is closed when
 * another begins.
 *
 *     message_start ─▶ blocks: start, deltas, stop ─▶ message_delta ─▶ message_stop
 */
export class MessageStreamWriter {
  #hasStarted = false;
  #isEnded = false;
  /** How many blocks there have been. */
  #blocks = 0;
  /** The block that is being written, if one is. */
  #open: { readonly index: number; readonly kind: string; readonly signature?: string } | null = null;

  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  start({ id, model, usage }: MessageHead): string {
    if (this.#hasStarted) return '';
    this.#hasStarted = true;
    const message = {
      id,
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
    };
    return event('message_start', { message: { ...message, usage: usageOf(usage) } });
  }

  text(piece: string): string {
    if (piece === '') return '';
    const opened = this.#continue('text', { type: 'text', text: '' });
    return opened + this.#delta({ type: 'text_delta', text: piece });
  }

  /** `signature` is told when the thoughts end; empty: they have none. */
  thinking(piece: string, signature: string): string {
    if (piece === '') return '';
    const opened = this.#continue('thinking', { type: 'thinking', thinking: '', signature: '' });
    if (this.#open && signature !== '') this.#open = { ...this.#open, signature };
    return opened + this.#delta({ type: 'thinking_delta', thinking: piece });
  }

  /** A block that is there at once, or that is told by `input`. Returns its index with the events. */
  block(block: JsonObject): { readonly index: number; readonly events: string } {
    const closed = this.#close();
    return { index: this.#blocks, events: closed + this.#begin(String(block['type']), block) };
  }

  /** A piece of a call's arguments; vendors may go on with one whose block has been closed, and clients know it by its index. */
  input(index: number, piece: string): string {
    return piece === ''
      ? ''
      : event('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: piece } });
  }

  /** The second time nothing. */
  end(ending: Ending, usage: Usage): string {
    if (this.#isEnded) return '';
    this.#isEnded = true;
    const delta = event('message_delta', { delta: ending, usage: usageOf(usage) });
    return this.#close() + delta + event('message_stop', {});
  }

  #continue(kind: string, block: JsonObject): string {
    return this.#open?.kind === kind ? '' : this.#close() + this.#begin(kind, block);
  }

  #begin(kind: string, block: JsonObject): string {
    this.#open = { index: this.#blocks, kind };
    this.#blocks += 1;
    return event('content_block_start', { index: this.#open.index, content_block: block });
  }

  #delta(delta: JsonObject): string {
    return event('content_block_delta', { index: this.#open?.index, delta });
  }

  #close(): string {
    const open = this.#open;
    if (open === null) return '';
    const { signature } = open;
    const signed = signature === undefined ? '' : this.#delta({ type: 'signature_delta', signature });
    this.#open = null;
    return signed + event('content_block_stop', { index: open.index });
  }
}

/** SDKs pass over events without a name. */
function event(type: string, fields: JsonObject): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}
