import { splitTokens } from './count-tokens.ts';

/** Said over and over: plain words, so that each piece is one token wherever the text is cut. */
const PASSAGE =
  ' This answer was made up by a simulator. It knows nothing about your question, but it counts as a real model would:' +
  ' every word here is one token, the pace is the one that was asked for, and the length is drawn at random.';

/** Text of any exact length in tokens. */
export class AnswerText {
  readonly #pieces = splitTokens(PASSAGE);
  /** `#starts[k]` is the text of the first k tokens of the passage. */
  readonly #starts: readonly string[];

  constructor() {
    const starts = [''];
    for (const piece of this.#pieces) starts.push(`${starts.at(-1)}${piece}`);
    this.#starts = starts;
  }

  piece(index: number): string {
    const piece = this.#pieces[index % this.#pieces.length] ?? '';
    return index === 0 ? piece.trimStart() : piece;
  }

  text(tokens: number): string {
    const whole = Math.floor(tokens / this.#pieces.length);
    const rest = this.#starts[tokens % this.#pieces.length] ?? '';
    return (PASSAGE.repeat(whole) + rest).trimStart();
  }
}
