import {
  type AnsweredCall,
  ChatStreamWriter,
  errorChunk,
  type WholeChoice,
  wholeChat,
} from '../mapping/chat-answer.ts';
import { fieldAt, isObject, parsed, textAt } from '../mapping/json.ts';
import type { Usage } from '../provider.ts';
import type { AnswerTranslator, JsonObject, TranslationContext, UpstreamEvent } from '../wire.ts';
import { botchedBy, type Candidate, candidatesOf, finishReason, isBlocked, type Piece } from './answer.ts';
import { botchedError } from './failure.ts';
import { withSignature } from './signatures.ts';
import { readUsage } from './usage.ts';

/** What is known of one choice of a stream. */
interface StreamedChoice {
  calls: number;
  /** The last word for its end, which some models repeat in every event; null: it goes on. */
  finish: string | null;
}

/**
 * One answer of generateContent as OpenAI's. Each event of a stream is a whole response that holds what is new; the end of
 * the body is the only end there is, so it is one only if every choice has said why it ended.
 */
export class GeminiChat implements AnswerTranslator {
  readonly #context: TranslationContext;
  readonly #choices = new Map<number, StreamedChoice>();
  #writer: ChatStreamWriter | null = null;
  #id = '';
  #usage: Usage | null = null;
  #hasFailed = false;

  constructor(context: TranslationContext) {
    this.#context = context;
  }

  whole(json: JsonObject): JsonObject {
    this.#name(json);
    const candidates = candidatesOf(json).toSorted((a, b) => a.index - b.index);
    const choices = candidates.map((candidate) => this.#choiceOf(candidate));
    return wholeChat(this.#head(), choices.length > 0 ? choices : [FILTERED], readUsage(json, null));
  }

  event({ json }: UpstreamEvent): string {
    const error = errorIn(json);
    if (error !== null) return this.#fail(error);
    this.#name(json);
    this.#usage = readUsage(json, this.#usage) ?? this.#usage;
    if (isBlocked(json)) this.#choice(0).finish = 'SAFETY';
    return candidatesOf(json)
      .map((candidate) => this.#write(candidate))
      .join('');
  }

  /** `rest`: an error behind the events, or, from a server that knows no `alt=sse`, all of them as one JSON array. */
  end(rest: string): string {
    const late = [parsed(rest)].flat().filter(isObject);
    const text = late.map((json) => this.event({ name: null, json })).join('');
    const choices = [...this.#choices];
    const isComplete = choices.length > 0 && choices.every(([, { finish }]) => finish !== null);
    if (this.#hasFailed || !isComplete) return text;
    const writer = this.#out();
    const ends = choices.map(([index, { finish, calls }]) =>
      writer.finish(finishReason(finish ?? '', calls > 0), index),
    );
    return text + ends.join('') + writer.done(this.#usage);
  }

  #fail(error: unknown): string {
    this.#hasFailed = true;
    return errorChunk(error);
  }

  #choiceOf({ pieces, finish, logprobs, index }: Candidate): WholeChoice {
    const calls = pieces.filter((piece) => piece.kind === 'call');
    const signature = pieces.findLast((piece) => piece.kind === 'text' && piece.signature !== null)?.signature ?? null;
    return {
      content: textOf(pieces, 'text'),
      reasoning: textOf(pieces, 'thought'),
      refusal: null,
      toolCalls: calls.map((call, place) => this.#callOf(call, place, index)),
      finishReason: finishReason(finish ?? '', calls.length > 0),
      ...(logprobs === undefined ? {} : { logprobs }),
      ...(signature === null ? {} : { extra: withSignature(signature) }),
    };
  }

  #write({ index, pieces, finish, logprobs }: Candidate): string {
    const choice = this.#choice(index);
    choice.finish = finish ?? choice.finish;
    const text = pieces.map((piece) => this.#piece(piece, choice, index)).join('');
    return logprobs === undefined ? text : text + this.#out().logprobs(logprobs, index);
  }

  #piece(piece: Piece, choice: StreamedChoice, index: number): string {
    const writer = this.#out();
    if (piece.kind === 'call') {
      const place = choice.calls;
      choice.calls += 1;
      return writer.toolCall(place, this.#callOf(piece, place, index), index);
    }
    if (piece.kind === 'thought') return writer.reasoning(piece.text, index);
    const { signature } = piece;
    const signed = signature === null ? '' : writer.extra(withSignature(signature), index);
    return writer.text(piece.text, index) + signed;
  }

  #callOf(
    { id, name, args, signature }: Extract<Piece, { kind: 'call' }>,
    place: number,
    choice: number,
  ): AnsweredCall {
    return {
      id: id ?? this.#callId(place, choice),
      name,
      argumentsJson: JSON.stringify(args),
      ...(signature === null ? {} : { extra: withSignature(signature) }),
    };
  }

  /** Made of the answer's own id, so that the same answer always has the same ids, and no two answers share one. */
  #callId(place: number, choice: number): string {
    const answer = this.#id === '' ? String(this.#context.createdS) : this.#id.slice(0, MAX_ID_CHARACTERS);
    return `call_${answer}_${choice > 0 ? `${choice}_` : ''}${place}`;
  }

  #name(json: unknown): void {
    if (this.#id === '') this.#id = textAt(json, 'responseId') ?? '';
  }

  #head(): { id: string; model: string; createdS: number } {
    const { model, createdS } = this.#context;
    return { id: `chatcmpl-${this.#id || createdS}`, model, createdS };
  }

  #out(): ChatStreamWriter {
    this.#writer ??= new ChatStreamWriter(this.#head());
    return this.#writer;
  }

  #choice(index: number): StreamedChoice {
    const known = this.#choices.get(index) ?? { calls: 0, finish: null };
    this.#choices.set(index, known);
    return known;
  }
}

/** OpenAI's ids of calls have 40 characters at most. */
const MAX_ID_CHARACTERS = 28;

/** A prompt that was blocked has no candidates. */
const FILTERED: WholeChoice = {
  content: '',
  reasoning: null,
  refusal: null,
  toolCalls: [],
  finishReason: 'content_filter',
};

function textOf(pieces: readonly Piece[], kind: 'text' | 'thought'): string {
  return pieces.map((piece) => (piece.kind === kind ? piece.text : '')).join('');
}

/** The vendor's own error in an event, or one for a call that the model botched; null: it is none. */
function errorIn(json: unknown): unknown {
  const error = fieldAt(Array.isArray(json) ? json[0] : json, 'error');
  if (error !== undefined && error !== null) return error;
  const botched = botchedBy(json);
  return botched === null ? null : botchedError(botched);
}
