import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Cancel, Clock } from '../clock.ts';

/** Looks at a stalled client so many times within the time it has. */
const LOOKS = 4;

/** libuv's view of a socket: what it was given to write, and what of that the kernel has not taken yet. */
interface WriteHandle {
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
}

/**
 * Finds a client that accepts no byte for `limitMs` while there are bytes for it.
 *
 * idle: nothing to watch. watching: bytes wait; any progress restarts the time, and so does having nothing to send.
 */
export class WriteStall {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #onStall: () => void;
  #cancel: Cancel | null = null;
  #progressAt = 0;
  #acceptedBytes = 0;

  constructor(response: ServerResponse, watch: { clock: Clock; limitMs: number; onStall: () => void }) {
    this.#response = response;
    this.#clock = watch.clock;
    this.#limitMs = watch.limitMs;
    this.#onStall = watch.onStall;
  }

  /** Begins to watch; goes on until `stop`, or until everything is sent. */
  watch(): void {
    if (this.#cancel) return;
    this.#progressAt = this.#clock.now();
    this.#acceptedBytes = acceptedBytes(this.#response.socket);
    this.#schedule();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #schedule(): void {
    this.#cancel = this.#clock.schedule(this.#limitMs / LOOKS, () => this.#look());
  }

  #look(): void {
    this.#cancel = null;
    const { socket } = this.#response;
    if (this.#response.writableLength === 0) return;
    const accepted = acceptedBytes(socket);
    // Behind another answer of a pipeline there is no socket yet: that is not this client's doing.
    if (accepted !== this.#acceptedBytes || !socket || socket.writableLength === 0) {
      this.#acceptedBytes = accepted;
      this.#progressAt = this.#clock.now();
    }
    if (this.#clock.now() - this.#progressAt >= this.#limitMs) this.#onStall();
    else this.#schedule();
  }
}

/** Bytes that the kernel has taken. Streams count a write only when all of it is out, and one write can be megabytes. */
function acceptedBytes(socket: Socket | null): number {
  const handle = (socket as { _handle?: WriteHandle | null } | null)?._handle;
  return (handle?.bytesWritten ?? 0) - (handle?.writeQueueSize ?? 0);
}
