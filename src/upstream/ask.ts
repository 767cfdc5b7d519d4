import type { Transport, UpstreamRequest } from './transport.ts';

/** A small call whose body nobody reads. */
export interface Asked {
  /** The status of the answer; null: none came. Never rejects. */
  readonly status: Promise<number | null>;
  abort(): void;
}

/** Sends a call and waits for its answer, of which only the status counts. */
export function ask(transport: Pick<Transport, 'send'>, request: UpstreamRequest): Asked {
  const { promise, resolve } = Promise.withResolvers<number | null>();
  let status: number | null = null;
  let bytes = 0;
  const call = transport.send(request, {
    onSent: () => undefined,
    onHead: (answered) => {
      status = answered;
      call.firstEventSeen();
    },
    onData: (chunk) => {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) call.abort();
    },
    onEnd: () => resolve(status),
    // What has a status has been answered, however its body ends.
    onFailed: () => resolve(status),
  });
  return { status: promise, abort: () => call.abort() };
}

/** A connection that brings more than a list is not worth keeping. */
const MAX_BYTES = 1024 * 1024;
