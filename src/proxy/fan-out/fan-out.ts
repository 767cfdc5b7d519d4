import { ProxyError } from '../../errors.ts';
import { SseDecoder, type SseEvent } from '../../streaming/sse-decoder.ts';
import { parseBody } from '../answer-reader.ts';
import type { ClientAnswer } from '../client-answer.ts';
import type { ClientReply, ClientRequest } from '../exchange.ts';
import { isObject } from '../request-body/fields.ts';
import type { RequestBody } from '../request-body.ts';
import { StreamMerge } from './merge-stream.ts';
import { mergeWhole } from './merge-whole.ts';
import { PartReply, type PartSink } from './part-reply.ts';

/** What a part may bring that is not streamed; all of them are held until the last has come. */
const MAX_PART_BYTES = 16 * 1024 * 1024;

type Serve = (request: ClientRequest, reply: ClientReply) => Promise<void>;

type Headers = Readonly<Record<string, string>>;

interface Part {
  readonly reply: PartReply;
  readonly decoder: SseDecoder;
  headers: Headers;
  /** Of a whole answer. */
  readonly pieces: Buffer[];
  bytes: number;
  hasEnded: boolean;
}

/**
 * Several choices of one prompt from targets that give one at a time: a request for each, which is sized, queued, charged and
 * retried by itself. Their answers are one; if one of them fails for good, so has that.
 *
 *     asking ──all have ended──▶ answered
 *        └──one has failed, or the client has left──▶ over: the others are given up
 */
export class FanOut implements PartSink {
  readonly #request: ClientRequest;
  readonly #body: RequestBody;
  readonly #answer: ClientAnswer;
  readonly #merge = new StreamMerge();
  readonly #parts: readonly Part[];
  #isOver = false;
  #failure: unknown = null;

  constructor(request: ClientRequest, body: RequestBody, answer: ClientAnswer) {
    this.#request = request;
    this.#body = body;
    this.#answer = answer;
    this.#parts = Array.from({ length: body.facts.n }, (_, index) => ({
      reply: new PartReply(index, this),
      decoder: new SseDecoder(),
      headers: {},
      pieces: [],
      bytes: 0,
      hasEnded: false,
    }));
  }

  get unsentBytes(): number {
    return this.#answer.unsentBytes;
  }

  /**
   * Resolves when all parts are through.
   * @throws ProxyError of the first part that failed
   */
  async run(serve: Serve): Promise<void> {
    this.#answer.whenGone(() => this.#giveUp());
    // Each part reads its own; that of all would only be in memory.
    this.#body.takeParsed();
    const bodyOf = partBodies(this.#body);
    await Promise.all(
      this.#parts.map(async ({ reply }, index) => {
        try {
          await serve(partRequest(this.#request, index, bodyOf(index)), reply);
        } catch (error) {
          this.#fail(error);
        }
      }),
    );
    this.#answer.whenGone(null);
    if (this.#failure !== null) throw this.#failure;
    if (!this.#isOver) throw new ProxyError('upstream_error', 'One of the answers broke off.');
  }

  onDrain(listener: () => void): void {
    this.#answer.onDrain(listener);
  }

  headed(index: number, headers: Headers): void {
    const part = this.#parts[index] as Part;
    part.headers = headers;
    if (this.#body.facts.isStreaming && !this.#isOver) this.#answer.beginStream(headers);
  }

  wrote(index: number, chunk: Uint8Array | string): boolean {
    const part = this.#parts[index] as Part;
    const bytes = Buffer.from(chunk);
    if (!this.#body.facts.isStreaming) {
      this.#keep(part, bytes);
      return true;
    }
    const events = part.decoder.push(bytes).map((event) => this.#event(index, event));
    const text = this.#isOver ? '' : events.join('');
    return text === '' || this.#answer.write(text);
  }

  ended(index: number): void {
    (this.#parts[index] as Part).hasEnded = true;
    if (this.#isOver || this.#parts.some(({ hasEnded }) => !hasEnded)) return;
    this.#isOver = true;
    if (this.#body.facts.isStreaming) this.#answer.end(Buffer.from(this.#merge.end()));
    else this.#endWhole();
  }

  #event(index: number, { data, raw }: SseEvent): string {
    const json = data === null ? null : parseBody(Buffer.from(data));
    if (!isObject(json)) return '';
    if (!('error' in json)) return this.#merge.chunk(index, json);
    this.#failInBand(raw);
    return '';
  }

  /** A part that had begun has failed and said so: that is the last word of all. */
  #failInBand(event: Buffer): void {
    if (this.#isOver) return;
    this.#answer.write(event);
    this.#answer.end();
    this.#giveUp();
  }

  #keep(part: Part, bytes: Buffer): void {
    part.bytes += bytes.length;
    if (part.bytes > MAX_PART_BYTES) {
      this.#fail(
        new ProxyError('upstream_error', 'The upstream answered more than can be put together. Ask for fewer.'),
      );
    } else part.pieces.push(bytes);
  }

  #endWhole(): void {
    const answers = this.#parts.map(({ pieces }) => parseBody(Buffer.concat(pieces))).filter(isObject);
    this.#answer.beginWhole((this.#parts[0] as Part).headers);
    this.#answer.end(Buffer.from(JSON.stringify(mergeWhole(answers))));
  }

  #fail(error: unknown): void {
    this.#failure ??= this.#isOver ? null : error;
    this.#giveUp();
  }

  #giveUp(): void {
    this.#isOver = true;
    for (const { reply, hasEnded } of this.#parts) if (!hasEnded) reply.leave();
  }
}

/** The body of each part: one choice, and where a seed was given one after the other, or all choices would be the same. */
function partBodies(body: RequestBody): (index: number) => Buffer {
  body.note(new Map([['seed', 'seed']]));
  let seed: unknown;
  const shared = body.edited((fields) => {
    fields.drop('n');
    seed = fields.valueOf('seed');
  });
  return (index) => {
    const first = seed;
    if (typeof first !== 'number' || index === 0) return shared;
    return body.edited((fields) => {
      fields.drop('n');
      fields.set('seed', first + index);
    });
  };
}

function partRequest(request: ClientRequest, index: number, body: Buffer): ClientRequest {
  const { id, client, operation, modelInPath, providerInPath, receivedAt, headers } = request;
  return {
    id,
    client,
    operation,
    modelInPath,
    providerInPath,
    receivedAt,
    headers: ownHeaders(headers, index),
    body,
    holds: (bytes) => request.holds(bytes),
    // The bytes are the whole request's, which lets go of them when all parts are through.
    releaseBody: () => undefined,
  };
}

/** A key against repeats must not make one answer of all parts. */
function ownHeaders(headers: ClientRequest['headers'], index: number): ClientRequest['headers'] {
  const key = headers['idempotency-key'];
  return key === undefined ? headers : { ...headers, 'idempotency-key': `${String(key)}-${index}` };
}
