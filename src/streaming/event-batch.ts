import type { SseEvent } from './sse-decoder.ts';

/** Events on their way to one write. Neighbours in the same bytes stay one piece; the usual chunk is not copied at all. */
export class EventBatch {
  readonly #pieces: Buffer[] = [];
  #source: Buffer | null = null;
  #start = 0;
  #end = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(event: SseEvent): void {
    this.#bytes += event.end - event.start;
    if (event.source === this.#source && event.start === this.#end) {
      this.#end = event.end;
      return;
    }
    const before = this.#close();
    if (before !== null) this.#pieces.push(before);
    this.#source = event.source;
    this.#start = event.start;
    this.#end = event.end;
  }

  /** Everything added since the last call; null when that is nothing. */
  take(): Buffer | null {
    const last = this.#close();
    this.#bytes = 0;
    if (last === null || this.#pieces.length === 0) return last;
    this.#pieces.push(last);
    return Buffer.concat(this.#pieces.splice(0));
  }

  /** The piece that neighbours were being added to. */
  #close(): Buffer | null {
    const source = this.#source;
    if (source === null) return null;
    this.#source = null;
    return this.#start === 0 && this.#end === source.length ? source : source.subarray(this.#start, this.#end);
  }
}
