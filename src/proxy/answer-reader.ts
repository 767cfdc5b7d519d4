import type { Clock } from '../clock.ts';
import type { Provider, Usage } from '../providers/provider.ts';
import type { FailureKind, UpstreamCall, UpstreamHeaders } from '../upstream/transport.ts';
import type { AttemptEnd } from './attempt-end.ts';
import type { ClientAnswer } from './client-answer.ts';

/** What an answer tells of its size, as far as it has come. */
export interface AnswerFigures {
  /** What the upstream counted; null: it has not said. */
  readonly usage: Usage | null;
  /** Estimated from what a stream brought, in LLM tokens; null: nothing can be seen of this answer before its end. */
  readonly producedTokens: number | null;
}

/** Takes one answer, from behind its head to its end. It calls `finish` of its owner once, and nothing afterwards. */
export interface AnswerReader extends AnswerFigures {
  push(chunk: Buffer): void;
  /** The body has ended as bodies should. */
  end(): void;
  /** The connection has failed. */
  fail(kind: FailureKind): void;
  /** The attempt is over, for whatever reason: lets go of timers. */
  close(): void;
}

/** What every reader works with. */
export interface AnswerParts {
  readonly clock: Clock;
  readonly provider: Provider;
  readonly status: number;
  readonly headers: UpstreamHeaders;
  readonly answer: ClientAnswer;
  readonly call: Pick<UpstreamCall, 'pause' | 'resume' | 'firstEventSeen'>;
  /** The whole of an answer as its upstream gave it, or of the event that ends it. */
  readonly seen?: (json: unknown) => void;
  /** The answer goes out: the head must be out when this returns, and no other attempt will follow. */
  begin(): void;
  finish(end: AttemptEnd): void;
}

/** A body as JSON; null when it is none. */
export function parseBody(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return null;
  }
}
