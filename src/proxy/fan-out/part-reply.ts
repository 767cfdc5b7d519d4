import type { ClientReply } from '../exchange.ts';

/** Where the answers of all parts go. */
export interface PartSink {
  readonly unsentBytes: number;
  onDrain(listener: () => void): void;
  headed(index: number, headers: Readonly<Record<string, string>>): void;
  /** False: more was accepted than can be sent at once. */
  wrote(index: number, chunk: Uint8Array | string): boolean;
  ended(index: number): void;
}

/** The client as one part of a request sees it: what it is told becomes a part of one answer. */
export class PartReply implements ClientReply {
  isGone = false;
  isHeadSent = false;
  readonly #index: number;
  readonly #sink: PartSink;
  #goneListeners: (() => void)[] = [];

  constructor(index: number, sink: PartSink) {
    this.#index = index;
    this.#sink = sink;
  }

  get unsentBytes(): number {
    return this.#sink.unsentBytes;
  }

  onGone(listener: () => void): void {
    if (this.isGone) listener();
    else this.#goneListeners.push(listener);
  }

  onDrain(listener: () => void): void {
    this.#sink.onDrain(listener);
  }

  /** Silence counts from what all parts bring, so none of them is asked for it. */
  processing(): void {}

  head(_status: number, headers: Readonly<Record<string, string>>): void {
    this.isHeadSent = true;
    this.#sink.headed(this.#index, headers);
  }

  write(chunk: Uint8Array | string): boolean {
    return this.isGone ? false : this.#sink.wrote(this.#index, chunk);
  }

  end(chunk?: Uint8Array | string): void {
    if (this.isGone) return;
    if (chunk !== undefined) this.#sink.wrote(this.#index, chunk);
    this.#sink.ended(this.#index);
  }

  /** The client has left, or the other parts have come to nothing. */
  leave(): void {
    if (this.isGone) return;
    this.isGone = true;
    for (const listener of this.#goneListeners.splice(0)) listener();
  }
}
