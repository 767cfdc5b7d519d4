import type { Board } from './demo-board.ts';
import { PROGRESS_HEAD, picture, progressLine, progressMark } from './demo-view.ts';
import type { TextSink } from './io.ts';

/** Shows how a burst goes on. */
export interface Screen {
  show(board: Board, now: number): void;
}

export function createScreen(sink: TextSink): Screen {
  return sink.isTTY === true ? new Terminal(sink) : new Log(sink);
}

const UP = (lines: number) => `\u001b[${lines}A`;
const CLEAR_BELOW = '\u001b[J';

/** Draws each picture over the one before. */
class Terminal implements Screen {
  readonly #sink: TextSink;
  #drawn = 0;

  constructor(sink: TextSink) {
    this.#sink = sink;
  }

  show(board: Board, now: number): void {
    // A line that wraps would take two rows, and the next picture would begin too low.
    const width = (this.#sink.columns ?? 80) - 1;
    const lines = picture(board, now).map((line) => line.slice(0, width));
    const back = this.#drawn > 0 ? `${UP(this.#drawn)}${CLEAR_BELOW}` : '';
    this.#sink.write(`${back}${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }
}

const LEAST_PAUSE_MS = 1_000;

/** A line whenever somebody has moved, at most one a second. */
class Log implements Screen {
  readonly #sink: TextSink;
  #mark = '';
  #writtenAt = Number.NEGATIVE_INFINITY;

  constructor(sink: TextSink) {
    this.#sink = sink;
  }

  show(board: Board, now: number): void {
    const mark = progressMark(board);
    if (mark === this.#mark || now - this.#writtenAt < LEAST_PAUSE_MS) return;
    if (this.#mark === '') this.#sink.write(`${PROGRESS_HEAD}\n`);
    this.#sink.write(`${progressLine(board, now)}\n`);
    this.#mark = mark;
    this.#writtenAt = now;
  }
}
