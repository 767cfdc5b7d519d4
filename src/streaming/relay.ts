import type { ErrorBody } from '../errors.ts';
import { EventBatch } from './event-batch.ts';
import { EventScan } from './event-scan.ts';
import { type ByteSink, type Flow, PacedSink } from './paced-sink.ts';
import { SseDecoder, SseEvent } from './sse-decoder.ts';
import type { ChunkFacts, StreamGrammar } from './stream-facts.ts';

/** What has been produced so far, for the books of an answer that breaks off before it tells its usage. */
export interface ProducedOutput {
  /** Unicode characters of text, reasoning, refusals and arguments. */
  readonly characters: number;
  /** Events that carried any; with most vendors each is about one token. */
  readonly deltas: number;
}

/** What the relay tells its owner, who decides about heads, retries and books. */
export interface RelayListener {
  /** The first event with data has come, be it only a role. Once. */
  onFirstEvent(): void;
  /** The first event that carries output. Once, before any byte is written: a head must be out when this returns. */
  onFirstContent(): void;
  /** An event that carries usage, as JSON; it may come again, and the last one counts. */
  onUsage(json: unknown): void;
  /** `[DONE]`, or whatever ends this format, has been written. Nothing follows. */
  onDone(): void;
  /** An error in band, not written; null when it is not JSON. What came before it has been written. Nothing follows. */
  onErrorEvent(json: unknown): void;
  /** What comes is not a stream of JSON events. Nothing follows. */
  onUnreadable(reason: Error): void;
}

export interface RelayParts {
  readonly sink: ByteSink;
  readonly flow: Flow;
  readonly listener: RelayListener;
  /** The client asked for the usage chunk; otherwise Sluice did, and it is taken out. */
  readonly isUsageWanted: boolean;
  readonly grammar: StreamGrammar;
}

/** Events without output that are held for the head; a stream that sends more has begun, whatever it sends. */
const MAX_HELD_BYTES = 1024 * 1024;

/** Keeps intermediaries from closing a silent stream. Parsers skip it; between whole events it may stand anywhere. */
export const KEEPALIVE_COMMENT = ': keepalive\n\n';

/** An error as the last event of a stream whose status has already been sent. */
export function errorEvent(body: ErrorBody): string {
  return `data: ${JSON.stringify(body)}\n\n`;
}

/**
 * Carries the events of one upstream answer to the client, byte for byte, whole events only, one write for each chunk.
 *
 * States: holding (nothing but a role so far; nothing is written) -> released (the first output) -> over (`[DONE]`, an
 * error, unreadable, or `finish`); holding may end as over. Only in the first are all events parsed; afterwards just those
 * that a look at their bytes does not explain.
 */
export class EventRelay {
  readonly #parts: RelayParts;
  readonly #sink: PacedSink;
  readonly #decoder = new SseDecoder();
  readonly #scan = new EventScan();
  readonly #batch = new EventBatch();
  readonly #produced = { characters: 0, deltas: 0 };
  #hasEvent = false;
  #isReleased = false;
  #isOver = false;
  #isDone = false;
  /** The last two events with data: a stream that ends without `[DONE]` has its finish reason in one of them. */
  #last: SseEvent | null = null;
  #lastButOne: SseEvent | null = null;

  constructor(parts: RelayParts) {
    this.#parts = parts;
    this.#sink = new PacedSink(parts.sink, parts.flow);
  }

  /** Output has been written: from here on no other attempt can take over. */
  get isReleased(): boolean {
    return this.#isReleased;
  }

  get produced(): ProducedOutput {
    return this.#produced;
  }

  /** Bytes of the upstream's body, in order. Once the relay is over they are dropped. */
  push(chunk: Buffer): void {
    if (this.#isOver) return;
    for (const event of this.#decode(chunk)) {
      this.#take(event);
      if (this.#isOver) return;
    }
    if (this.#isReleased) this.#flush();
  }

  /**
   * The upstream's body has ended. `complete`: it said so itself, by `[DONE]` or a finish reason. `truncated`: it broke
   * off, however clean the transfer was. A last event that lacks only its blank line is still relayed, with one.
   */
  finish(): 'complete' | 'truncated' {
    const tail = this.#isOver ? null : this.#decoder.finish();
    if (tail && this.#isWhole(tail)) {
      const whole = Buffer.concat([tail.raw, Buffer.from('\n\n')]);
      this.#take(new SseEvent(whole, 0, whole.length));
      if (this.#isReleased) this.#flush();
    }
    this.#isOver = true;
    const isComplete = this.#isDone || this.#isFinish(this.#last) || this.#isFinish(this.#lastButOne);
    return isComplete ? 'complete' : 'truncated';
  }

  /** Writes the in-band error; the relay is over. The owner ends the answer cleanly, without `[DONE]`. */
  fail(body: ErrorBody): void {
    this.#isOver = true;
    this.#sink.write(errorEvent(body));
  }

  #decode(chunk: Buffer): SseEvent[] {
    try {
      return this.#decoder.push(chunk);
    } catch (error) {
      this.#unreadable(new Error('An event of the stream does not end.', { cause: error }));
      return [];
    }
  }

  #take(event: SseEvent): void {
    this.#scan.scan(event);
    if (this.#isReleased && this.#scan.isOrdinary) this.#relay(event);
    else this.#read(event);
  }

  #read(event: SseEvent): void {
    const facts = this.#parts.grammar(event);
    switch (facts.kind) {
      case 'silent':
        if (this.#isReleased) this.#batch.add(event);
        return;
      case 'chunk':
        this.#readChunk(event, facts);
        return;
      case 'done':
        this.#done(event);
        return;
      case 'error':
        this.#over();
        this.#parts.listener.onErrorEvent(facts.json);
        return;
      case 'malformed':
        this.#unreadable(new Error('An event of the stream is not JSON.'));
    }
  }

  #readChunk(event: SseEvent, facts: ChunkFacts): void {
    const { listener, isUsageWanted } = this.#parts;
    if (!this.#hasEvent) {
      this.#hasEvent = true;
      listener.onFirstEvent();
    }
    if (this.#scan.hasUsage) listener.onUsage(facts.json);
    if (facts.isUsageOnly && !isUsageWanted) return;
    this.#relay(event, facts.isRepeat);
    const isHeld = !facts.hasOutput && this.#batch.bytes <= MAX_HELD_BYTES;
    if (!(this.#isReleased || isHeld)) {
      this.#isReleased = true;
      listener.onFirstContent();
    }
    if (facts.endsStream) this.#ended();
  }

  #relay(event: SseEvent, isRepeat = false): void {
    this.#lastButOne = this.#last;
    this.#last = event;
    if (this.#scan.characters > 0 && !isRepeat) {
      this.#produced.characters += this.#scan.characters;
      this.#produced.deltas++;
    }
    this.#batch.add(event);
  }

  #done(event: SseEvent): void {
    if (!this.#isReleased) {
      this.#unreadable(new Error('The stream ended before its first output.'));
      return;
    }
    this.#batch.add(event);
    this.#ended();
  }

  #ended(): void {
    this.#isDone = true;
    this.#over();
    this.#parts.listener.onDone();
  }

  #unreadable(reason: Error): void {
    this.#over();
    this.#parts.listener.onUnreadable(reason);
  }

  /** Nothing follows; what came before the reason still goes out. */
  #over(): void {
    this.#isOver = true;
    if (this.#isReleased) this.#flush();
  }

  #flush(): void {
    const bytes = this.#batch.take();
    if (bytes) this.#sink.write(bytes);
  }

  /** A tail that was cut off somewhere is no event: relayed, it would be a syntax error at the client. */
  #isWhole(tail: SseEvent): boolean {
    const { kind } = this.#parts.grammar(tail);
    return kind !== 'silent' && kind !== 'malformed';
  }

  #isFinish(event: SseEvent | null): boolean {
    if (event === null) return false;
    const facts = this.#parts.grammar(event);
    return facts.kind === 'chunk' && facts.hasFinishReason;
  }
}
