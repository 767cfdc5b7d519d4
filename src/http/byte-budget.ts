/** A share of the budget that one request body holds. */
export interface Reservation {
  /** Takes the share up to `bytes` in all; false, and nothing taken, when the budget has no room. */
  growTo(bytes: number): boolean;
  /** Gives everything back. Calling it again does nothing, and a released share does not grow. */
  release(): void;
}

/** Bytes of request bodies that the process holds at once: uploading, waiting, or in flight. */
export class ByteBudget {
  readonly #capacityBytes: number;
  #heldBytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** An empty share. */
  open(): Reservation {
    let ownBytes = 0;
    let isReleased = false;
    return {
      growTo: (bytes) => {
        const moreBytes = bytes - ownBytes;
        if (isReleased || this.#heldBytes + moreBytes > this.#capacityBytes) return false;
        if (moreBytes > 0) {
          this.#heldBytes += moreBytes;
          ownBytes = bytes;
        }
        return true;
      },
      release: () => {
        isReleased = true;
        this.#heldBytes -= ownBytes;
        ownBytes = 0;
      },
    };
  }
}
