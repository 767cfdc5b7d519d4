import { Needle } from './needle.ts';
import type { SseEvent } from './sse-decoder.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** `u`, of an escape `\u0041`. */
const LETTER_U = 0x75;

/** What has been produced so far, for the books of an answer that breaks off before it tells its usage. */
export interface ProducedOutput {
  /** Unicode characters of text, reasoning, refusals and arguments. */
  readonly characters: number;
  /** Events that carried any; with most vendors each is about one token. */
  readonly deltas: number;
}

/** Counts the text in chunks without parsing them: it measures the strings behind the keys that carry output. */
export class OutputMeter implements ProducedOutput {
  /** Nearly every event has this one, so the others are looked for only where it is absent or empty. */
  readonly #content = new Needle('content');
  readonly #others = ['reasoning_content', 'reasoning', 'arguments', 'refusal', 'text'].map((key) => new Needle(key));
  characters = 0;
  deltas = 0;

  count(event: SseEvent): void {
    let characters = charactersOf(event, this.#content);
    if (characters === 0) {
      for (const needle of this.#others) characters += charactersOf(event, needle);
    }
    if (characters === 0) return;
    this.characters += characters;
    this.deltas++;
  }
}

/** Of all occurrences: with `n` over 1 an event may carry several. */
function charactersOf(event: SseEvent, needle: Needle): number {
  let characters = 0;
  for (let at = needle.valueIn(event, event.start); at >= 0; at = needle.valueIn(event, at)) {
    if (event.source[at] === QUOTE) characters += stringLength(event, at + 1);
  }
  return characters;
}

/** Characters up to the closing quote; an escape is one, a UTF-8 sequence is one. */
function stringLength({ source, end }: SseEvent, start: number): number {
  let characters = 0;
  for (let at = start; at < end; at++) {
    const byte = source[at] ?? QUOTE;
    if (byte === QUOTE) break;
    if (byte === BACKSLASH) at += source[at + 1] === LETTER_U ? 5 : 1;
    else if ((byte & 0xc0) === 0x80) continue;
    characters++;
  }
  return characters;
}
