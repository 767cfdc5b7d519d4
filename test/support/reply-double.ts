import type { ClientReply } from '../../src/proxy/exchange.ts';

/** A client in memory: keeps what it was sent, reads or does not, leaves when told to. */
export class ReplyDouble implements ClientReply {
  status: number | null = null;
  headers: Readonly<Record<string, string>> = {};
  /** One entry a write. */
  readonly writes: string[] = [];
  /** How often it was told that it is still being worked for. */
  processings = 0;
  isEnded = false;
  isGone = false;
  unsentBytes = 0;
  /** False: what is written stays unsent until `drain`. */
  isReading = true;
  #goneListeners: (() => void)[] = [];
  readonly #drainListeners: (() => void)[] = [];
  #waiting: (() => void)[] = [];

  get isHeadSent(): boolean {
    return this.status !== null;
  }

  get text(): string {
    return this.writes.join('');
  }

  get json(): unknown {
    return JSON.parse(this.text);
  }

  processing(): void {
    this.processings += 1;
    this.#changed();
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    if (this.isHeadSent) throw new Error('a second head');
    this.status = status;
    this.headers = headers;
    this.#changed();
  }

  write(chunk: Uint8Array | string): boolean {
    if (!this.isHeadSent) throw new Error('a write before the head');
    if (this.isEnded) throw new Error('a write after the end');
    if (this.isGone) return false;
    this.writes.push(Buffer.from(chunk).toString());
    if (!this.isReading) this.unsentBytes += Buffer.byteLength(chunk);
    this.#changed();
    return this.isReading;
  }

  end(chunk?: Uint8Array | string): void {
    if (this.isEnded) throw new Error('a second end');
    if (chunk !== undefined) this.write(chunk);
    this.isEnded = true;
    this.#changed();
  }

  onDrain(listener: () => void): void {
    this.#drainListeners.push(listener);
  }

  onGone(listener: () => void): void {
    if (this.isGone) listener();
    else this.#goneListeners.push(listener);
  }

  /** Everything unsent has been taken. */
  drain(): void {
    this.isReading = true;
    this.unsentBytes = 0;
    for (const listener of this.#drainListeners) listener();
  }

  leave(): void {
    this.isGone = true;
    for (const listener of this.#goneListeners.splice(0)) listener();
    this.#changed();
  }

  /** Resolves once `condition` holds; looked at after each head, write, end and departure. */
  async until(condition: (reply: this) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #changed(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
