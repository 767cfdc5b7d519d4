import { collectMessages } from './collect-messages.ts';
import { collectDefinitions } from './collect-tools.ts';
import { isObject } from './json-object.ts';
import type { ModelFamily } from './model-family.ts';
import { Tally } from './tally.ts';
import type { TextCounter, TextCounts } from './text-counter.ts';

/** LLM tokens of a request's input. */
export interface TokenEstimate {
  readonly inputTokens: number;
  /** Surely not less than this: the only figure that may reject a request. */
  readonly atLeastTokens: number;
}

export interface ChatEstimate extends TokenEstimate {
  /** What was only sampled, for someone with more time; null when all was counted. */
  readonly pending: PendingCount | null;
}

export interface PendingCount {
  /** Texts whose count was extrapolated. */
  readonly texts: readonly string[];
  /** The estimate with better counts of those texts, in the same order. */
  complete(better: TextCounts): TokenEstimate;
}

/** Who counts, and by the clock of whom. */
export interface EstimateTools {
  readonly counter: TextCounter;
  readonly family: ModelFamily;
  /** Milliseconds, as `Clock.now()`. */
  readonly now: () => number;
}

/** How long the event loop may be held for walking a request, and then for counting its texts. */
const WALK_MS = 1.5;
const COUNT_MS = 2;

/** More texts are not handed on: copying them to another thread takes time too. */
const MAX_PENDING_TEXTS = 4096;
/** Shorter texts are not worth a thread: so many of them are well represented by their sample. */
const PENDING_FROM_CHARS = 256;
/** Nor are texts that come to less together: most of them has been counted, and a thread has a vocabulary of its own. */
const PENDING_FROM_CHARS_IN_ALL = 32 * 1024;

/** How much of a count is certain: cuts may add to an exact count; vocabularies differ; a sample may be unlucky. */
const SURE_IN_OWN_ENCODING = 0.97;
const SURE_IN_LIKENESS = 0.6;
const SURE_IN_SAMPLE = 0.5;

/**
 * The input of a chat completion, in any shape: wrong types count as their JSON text, and nothing throws. Takes at
 * most 3.5 ms and one slice of text, whatever the request holds; what does not fit in that is sampled.
 */
export function estimateChat(request: unknown, tools: EstimateTools): ChatEstimate {
  const tally = new Tally(deadline(tools.now, WALK_MS));
  let messageTexts = 0;
  if (isObject(request)) {
    collectMessages(tally, request['messages'], tools.family.images);
    messageTexts = tally.texts.length;
    collectDefinitions(tally, request, tools.family.functionTokens);
  }
  const counts = tools.counter.count(tally.texts, deadline(tools.now, COUNT_MS));
  const sheet = new Sheet({ tally, messageTexts, counts }, tools.family);
  const { inputTokens, atLeastTokens } = sheet.total();
  return { inputTokens, atLeastTokens, pending: sheet.pending(counts.unfinished) };
}

function deadline(now: () => number, budgetMs: number): () => boolean {
  const end = now() + budgetMs;
  return () => now() >= end;
}

interface Counted {
  readonly tally: Tally;
  /** The first texts are those of the messages: definitions may be rewritten upstream, messages are not. */
  readonly messageTexts: number;
  readonly counts: TextCounts;
}

class Sheet {
  readonly #counted: Counted;
  readonly #sure: number;

  constructor(counted: Counted, family: ModelFamily) {
    this.#counted = counted;
    this.#sure = family.isOwnEncoding ? SURE_IN_OWN_ENCODING : SURE_IN_LIKENESS;
  }

  total(): TokenEstimate {
    const { tally, messageTexts, counts } = this.#counted;
    let counted = 0;
    let atLeast = 0;
    for (let index = 0; index < counts.tokens.length; index++) {
      const tokens = counts.tokens[index] as number;
      counted += tokens;
      if (index < messageTexts) atLeast += tokens * (counts.isExact[index] ? this.#sure : SURE_IN_SAMPLE);
    }
    counted += tally.thinnedTokens(counts.tokens);
    return {
      inputTokens: Math.ceil((counted + tally.fixedTokens) * tally.scale),
      atLeastTokens: Math.floor(atLeast),
    };
  }

  pending(unfinished: readonly number[]): PendingCount | null {
    const { texts } = this.#counted.tally;
    const waiting = unfinished.filter((index) => (texts[index] as string).length >= PENDING_FROM_CHARS);
    const chars = waiting.reduce((sum, index) => sum + (texts[index] as string).length, 0);
    if (chars < PENDING_FROM_CHARS_IN_ALL) return null;
    waiting.length = Math.min(waiting.length, MAX_PENDING_TEXTS);
    return {
      texts: waiting.map((index) => texts[index] as string),
      complete: (better) => this.#complete(waiting, better),
    };
  }

  #complete(waiting: readonly number[], better: TextCounts): TokenEstimate {
    const { tokens, isExact } = this.#counted.counts;
    for (const [place, index] of waiting.entries()) {
      tokens[index] = better.tokens[place] ?? 0;
      isExact[index] = better.isExact[place] ?? false;
    }
    return this.total();
  }
}
