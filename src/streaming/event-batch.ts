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
    this.#close();
    this.#source = event.source;
    this.#start = event.start;
    this.#end = event.end;
  }

  /** Everything added since the last call; null when that is nothing. */
  take(): Buffer | null {
    this.#close();
    const [first, ...others] = this.#pieces.splice(0);
    this.#bytes = 0;
    if (first === undefined) return null;
    return others.length === 0 ? first : Buffer.concat([first, ...others]);
  }

  #close(): void {
    if (this.#source === null) return;
    const isWhole = this.#start === 0 && this.#end === this.#source.length;
    this.#pieces.push(isWhole ? this.#source : this.#source.subarray(this.#start, this.#end));
    this.#source = null;
  }
}
