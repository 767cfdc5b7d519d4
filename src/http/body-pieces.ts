/** A piece of this size is worth an object of its own, which takes more than half a kilobyte. */
const WORTH_KEEPING_BYTES = 1024;
const BLOCK_BYTES = 16 * 1024;

/**
 * A body as it comes. Small pieces are copied together: a client may send each byte as a chunk, and each would take some
 * 650 bytes that no budget counts.
 */
export class BodyPieces {
  readonly #pieces: Buffer[] = [];
  #block: Buffer | null = null;
  /** Of the block: what is a piece already, and what is written. */
  #startInBlock = 0;
  #endInBlock = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** How many objects hold it. */
  get count(): number {
    return this.#pieces.length;
  }

  add(piece: Buffer): void {
    // Most bodies come in one piece, which is never copied.
    if (piece.length >= WORTH_KEEPING_BYTES || this.#bytes === 0) {
      this.#closePiece();
      this.#pieces.push(piece);
    } else {
      this.#copy(piece);
    }
    this.#bytes += piece.length;
  }

  /** All of it, in memory of its own: a piece of a pool would keep the pool for as long as the request waits. */
  join(): Buffer {
    this.#closePiece();
    const [first] = this.#pieces;
    if (first && this.#pieces.length === 1 && first.buffer.byteLength === first.length) return first;
    const whole = Buffer.allocUnsafeSlow(this.#bytes);
    let end = 0;
    for (const piece of this.#pieces) end += piece.copy(whole, end);
    return whole;
  }

  #copy(piece: Buffer): void {
    if (this.#block === null || this.#endInBlock + piece.length > BLOCK_BYTES) {
      this.#closePiece();
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      this.#startInBlock = 0;
      this.#endInBlock = 0;
    }
    this.#endInBlock += piece.copy(this.#block, this.#endInBlock);
  }

  #closePiece(): void {
    if (this.#block === null || this.#endInBlock === this.#startInBlock) return;
    this.#pieces.push(this.#block.subarray(this.#startInBlock, this.#endInBlock));
    this.#startInBlock = this.#endInBlock;
  }
}
