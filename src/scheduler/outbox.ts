/** What callers are to be told at the end of a turn, when all books agree again. */
export class Outbox {
  #letters: (() => void)[] = [];

  push(letter: () => void): void {
    this.#letters.push(letter);
  }

  /** Everybody gets their answer, also when somebody throws on theirs: that is a bug, and told when all have heard. */
  deliver(): void {
    const thrown: unknown[] = [];
    for (let letter = this.#letters.shift(); letter; letter = this.#letters.shift()) {
      try {
        letter();
      } catch (error) {
        thrown.push(error);
      }
    }
    if (thrown.length > 0) throw new AggregateError(thrown, 'a ticket could not be told of its lease or rejection');
  }
}
