import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Cancel } from '../clock.ts';
import type { ProxyError } from '../errors.ts';

/**
 * One socket and the exchanges on it: several at once when the client pipelines.
 *
 * An exchange is open from its head until its answer is out or lost; it is uploading while its body is being read.
 * Bytes that are no answer of an exchange may be written only while none is open and no body is still arriving: anywhere
 * else they would land inside an answer, or pass for the answer to another request.
 */
export class Connection {
  readonly socket: Socket;
  // Counts and arrays: a Set's tables hold on to each other, and with them to every request of the connection.
  #open = 0;
  #goneListeners: (() => void)[] = [];
  #latest: IncomingMessage | null = null;
  #failUpload: ((error: ProxyError) => void) | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    const gone = (): void => {
      const listeners = this.#goneListeners;
      this.#goneListeners = [];
      for (const listener of listeners) listener();
    };
    // A client that half-closes can lock 'close' out for as long as it reads nothing.
    socket.once('end', gone);
    socket.once('close', gone);
  }

  /** Requests whose answers are not out: one, or several when the client pipelines. */
  get openExchanges(): number {
    return this.#open;
  }

  /** Whether an answer that belongs to no exchange, such as Node's own 400, can be told apart by the client. */
  get canAnswerOutOfBand(): boolean {
    return this.#open === 0 && (this.#latest?.complete ?? true);
  }

  began(request: IncomingMessage, response: ServerResponse): void {
    this.#latest = request;
    this.#open += 1;
    response.once('close', () => {
      this.#open -= 1;
      // An idle connection has no reason to hold the last request's headers.
      if (this.#latest === request && request.complete) this.#latest = null;
    });
  }

  /**
   * Runs `listener` once when the client has closed or half-closed. Needed beside the response's own 'close', which
   * Node 22 never emits for a pipelined request that is not the first in line.
   */
  onGone(listener: () => void): Cancel {
    this.#goneListeners.push(listener);
    return () => {
      const index = this.#goneListeners.indexOf(listener);
      if (index >= 0) this.#goneListeners.splice(index, 1);
    };
  }

  /** Says how to fail the body that is being read; until the returned function is called. */
  uploading(fail: (error: ProxyError) => void): Cancel {
    this.#failUpload = fail;
    return () => {
      if (this.#failUpload === fail) this.#failUpload = null;
    };
  }

  /**
   * Fails the body that is being read, so that its own exchange answers; false when there is none. A body that has come
   * whole is not concerned, even if its reader has not been told yet.
   */
  failUpload(error: ProxyError): boolean {
    if (!this.#failUpload || this.#latest?.complete) return false;
    this.#failUpload(error);
    return true;
  }
}

/** The connections of a server, found by their socket. */
export class Connections {
  readonly #bySocket = new WeakMap<Socket, Connection>();

  of(socket: Socket): Connection {
    let connection = this.#bySocket.get(socket);
    if (!connection) {
      connection = new Connection(socket);
      this.#bySocket.set(socket, connection);
    }
    return connection;
  }
}
