import type { Cancel } from '../clock.ts';
import type { Usage } from '../providers/provider.ts';
import { EventRelay, type ProducedOutput, type RelayListener } from '../streaming/relay.ts';
import type { StreamGrammar } from '../streaming/stream-facts.ts';
import type { FailureKind } from '../upstream/transport.ts';
import type { AnswerParts, AnswerReader } from './answer-reader.ts';
import { type AttemptFailure, failureOf, transportFailure } from './attempt-end.ts';

/** A body that does not end with its last event is cut, so that it holds neither connection nor slot. */
const END_GRACE_MS = 1_000;

const CHARACTERS_PER_TOKEN = 4;

interface StreamParts extends AnswerParts {
  /** The client asked for the usage chunk. */
  readonly isUsageWanted: boolean;
  readonly grammar: StreamGrammar;
}

/**
 * A streamed answer on its way to the client.
 *
 *     holding ──first output──▶ relaying ──[DONE]──▶ closing ──end of the body──▶ served
 *        └──any failure──▶ failed     └──any failure──▶ broken
 */
export class StreamAnswer implements AnswerReader, RelayListener {
  readonly #parts: StreamParts;
  readonly #relay: EventRelay;
  #usage: Usage | null = null;
  #stopGrace: Cancel | null = null;

  constructor(parts: StreamParts) {
    this.#parts = parts;
    const { answer, call, isUsageWanted, grammar } = parts;
    this.#relay = new EventRelay({ sink: answer, flow: call, listener: this, isUsageWanted, grammar });
  }

  get usage(): Usage | null {
    return this.#usage;
  }

  get producedTokens(): number {
    return tokensOf(this.#relay.produced);
  }

  push(chunk: Buffer): void {
    this.#relay.push(chunk);
  }

  end(): void {
    if (this.#isClosing) this.#served();
    else if (this.#relay.finish() === 'truncated') this.#fail(failureOf('the stream ended before its answer did'));
    else {
      this.#parts.answer.end();
      this.#served();
    }
  }

  fail(kind: FailureKind): void {
    if (this.#isClosing) this.#served();
    else this.#fail(transportFailure(kind));
  }

  close(): void {
    this.#stopGrace?.();
  }

  onFirstEvent(): void {
    this.#parts.call.firstEventSeen();
  }

  onFirstContent(): void {
    this.#parts.begin();
  }

  onUsage(json: unknown): void {
    this.#parts.seen?.(json);
    this.#usage = this.#parts.provider.readUsage(json, this.#usage) ?? this.#usage;
  }

  /** The client need not wait for the upstream to close; the connection is worth the wait to us. */
  onDone(): void {
    const { answer, clock } = this.#parts;
    answer.end();
    this.#stopGrace = clock.schedule(END_GRACE_MS, () => this.#served());
  }

  onErrorEvent(json: unknown): void {
    const { provider, status, headers } = this.#parts;
    const answer = { status, headers, json };
    const outcome = provider.classify(answer);
    this.#fail(failureOf('the upstream reported an error in its stream', { answer, outcome }));
  }

  onUnreadable(): void {
    this.#fail(failureOf('what the upstream sent is no stream of events'));
  }

  get #isClosing(): boolean {
    return this.#stopGrace !== null;
  }

  #served(): void {
    this.#parts.finish({ kind: 'served' });
  }

  #fail(failure: AttemptFailure): void {
    this.#parts.finish({ kind: this.#relay.isReleased ? 'broken' : 'failed', failure });
  }
}

/** With most vendors a delta is a token, and some put several into one: whichever figure is higher is nearer. */
function tokensOf({ characters, deltas }: ProducedOutput): number {
  return Math.max(deltas, Math.ceil(characters / CHARACTERS_PER_TOKEN));
}
