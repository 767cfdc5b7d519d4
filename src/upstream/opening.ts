import { Socket } from 'node:net';
import type { buildConnector } from 'undici';

type Connector = buildConnector.connector;
type Callback = buildConnector.Callback;

/**
 * The way of one undici client to its socket, with an exit. undici offers no handle on a request that still waits for its
 * connection, and its connector runs on until the peer or a timer answers; abandoning settles it now and leaves no socket.
 *
 * States: closed -> opening (`connect`) -> closed (a socket, an error, or `abandon`).
 */
export class Opening {
  readonly #connector: Connector;
  #abandon: ((cause: Error) => void) | null = null;

  constructor(connector: Connector) {
    this.#connector = connector;
  }

  /** undici's connector port. `signal` is what a tunnel through a proxy listens to. */
  readonly connect: Connector = (options, callback) => {
    const aborter = new AbortController();
    let isSettled = false;
    const settle = (...outcome: Parameters<Callback>): void => {
      const [, socket] = outcome;
      if (isSettled) {
        socket?.on('error', ignore).destroy();
        return;
      }
      isSettled = true;
      this.#abandon = null;
      callback(...outcome);
    };
    let begun: unknown = null;
    this.#abandon = (cause) => {
      settle(cause, null);
      aborter.abort(cause);
      if (begun instanceof Socket) begun.destroy();
    };
    const cancellable = { ...options, signal: aborter.signal };
    begun = this.#connector(cancellable, settle);
  };

  /** Gives up the connection in the making, if there is one: the request behind it fails with `cause`. */
  abandon(cause: Error): void {
    this.#abandon?.(cause);
  }
}

/** A socket that came too late is destroyed; what else befalls it concerns nobody. */
function ignore(): void {}
