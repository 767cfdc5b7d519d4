import type { Operation } from '../providers/wire.ts';
import type { ByteSink } from '../streaming/paced-sink.ts';

/** Who calls, as authentication found out. */
export interface Client {
  /** The configured name; `anonymous` where no clients are configured. */
  readonly name: string;
}

/** One request of a client, as the HTTP layer hands it over. */
export interface ClientRequest {
  /** The answer's `x-request-id`. */
  readonly id: string;
  readonly client: Client;
  /** What its path asks for. */
  readonly operation: Operation;
  /** The model that its path names; null where the body does. */
  readonly modelInPath: string | null;
  /** The provider that its path names, and none but whose targets may serve it. Absent: any. */
  readonly providerInPath?: string | undefined;
  /** `clock.now()` when its head arrived. */
  readonly receivedAt: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body as received, untouched. */
  readonly body: Buffer;
  /** Asks the byte budget for so many bytes in all; false: it has no room. */
  holds(bytes: number): boolean;
  /** Tells the byte budget that the body is no longer held. Calling it again does nothing. */
  releaseBody(): void;
}

/** The answer to one request. `head` comes once, before any `write`; `end` comes last; `processing` is only before the head. */
export interface ClientReply extends ByteSink {
  /** The client has closed, half-closed or vanished. Nothing more can reach it. */
  readonly isGone: boolean;
  readonly isHeadSent: boolean;
  /** Called once; at once if the client is gone already. */
  onGone(listener: () => void): void;
  /** Tells the client that it is still being worked for, where its version of HTTP has a way to say so: a `102 Processing`. */
  processing(): void;
  head(status: number, headers: Readonly<Record<string, string>>): void;
  end(chunk?: Uint8Array | string): void;
}
