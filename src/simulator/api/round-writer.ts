import type { Choice } from '../compose-answer.ts';
import type { Answer, AnswerWriter, Spot, Usage } from './answer.ts';

/** Turns rounds, one token of every choice, into the events of a stream: where a part begins and ends, and a choice. */
export class RoundWriter {
  readonly #choices: readonly Choice[];
  readonly #writer: AnswerWriter;

  constructor({ choices }: Answer, writer: AnswerWriter) {
    this.#choices = choices;
    this.#writer = writer;
  }

  opening(): string {
    return this.#writer.opening();
  }

  /** The `round`th token of every choice that has one, and the end of those that do not go on. */
  round(round: number): string {
    let events = '';
    for (const [index, choice] of this.#choices.entries()) {
      if (round < choice.length) events += this.#token(index, choice, round);
    }
    return events;
  }

  /** What follows the last token. */
  closing(usage: Usage): string {
    return this.#writer.closing(usage);
  }

  #token(index: number, choice: Choice, round: number): string {
    const writer = this.#writer;
    let place = round;
    for (const [number, part] of choice.parts.entries()) {
      if (place >= part.length) {
        place -= part.length;
        continue;
      }
      const spot: Spot = { choice: index, index: number, part, round: round + 1 };
      let events = place === 0 ? writer.partStart(spot) : '';
      events += writer.piece(spot, part.piece(place));
      if (place === part.length - 1) events += writer.partEnd(spot);
      return round === choice.length - 1 ? events + writer.choiceEnd(index) : events;
    }
    return '';
  }
}
