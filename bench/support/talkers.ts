import type { TalkFormat } from './talk-formats.ts';

export interface TalkersOptions {
  readonly url: string;
  readonly model: string;
  readonly format: TalkFormat;
  /** Turns that are begun, of all talkers, as far as they are not waiting for answers. */
  readonly perSecond: number;
  readonly random: () => number;
}

const TALKERS = 50;
const TURNS = 10;
const OPENING_WORDS = 1_500;
const TURN_WORDS = 150;
/** Input of the turn in the middle and its answer, in the vendor's tokens. */
export const TOKENS_PER_TURN = 2_300;

interface Talker {
  said: string[];
  /** The key that served the turn before; null: none did. */
  key: string | null;
}

/**
 * Fifty people, each in one conversation of ten turns after the other; whoever has waited longest speaks next. Each
 * conversation begins with a text of its own, the first ones somewhere in the middle.
 */
export class Talkers {
  turns = 0;
  stayed = 0;
  moved = 0;
  refused = 0;
  input = 0;
  cached = 0;
  waitsMs: number[] = [];
  readonly #options: TalkersOptions;
  readonly #abort = new AbortController();
  readonly #ready: Talker[] = [];
  readonly #speaking = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #conversations = 0;

  constructor(options: TalkersOptions) {
    this.#options = options;
    for (let talker = 0; talker < TALKERS; talker += 1) {
      const said = [this.#opening()];
      for (let turn = Math.floor(options.random() * TURNS); turn > 0; turn -= 1) goOn(said);
      this.#ready.push({ said, key: null });
    }
    this.#timer = setInterval(() => this.#next(), 1000 / options.perSecond);
  }

  startMeasuring(): void {
    Object.assign(this, { turns: 0, stayed: 0, moved: 0, refused: 0, input: 0, cached: 0, waitsMs: [] });
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#abort.abort();
    await Promise.all(this.#speaking);
  }

  #opening(): string {
    return `conversation ${this.#conversations++} ${'river '.repeat(OPENING_WORDS)}`;
  }

  #next(): void {
    const talker = this.#ready.shift();
    if (!talker) return;
    const turn: Promise<void> = this.#speak(talker).finally(() => {
      this.#speaking.delete(turn);
      this.#ready.push(talker);
    });
    this.#speaking.add(turn);
  }

  /** Whoever is turned away says it again later. */
  async #speak(talker: Talker): Promise<void> {
    const { url, format, model } = this.#options;
    const answer = await fetch(`${url}${format.path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(format.body(model, talker.said)),
      signal: this.#abort.signal,
    }).catch(() => null);
    const json = await answer?.json().catch(() => null);
    if (!answer || this.#abort.signal.aborted) return;
    if (answer.status === 200) this.#served(talker, answer.headers, format.usageOf(json));
    else this.refused += 1;
  }

  #served(talker: Talker, headers: Headers, { input, cached }: ReturnType<TalkFormat['usageOf']>): void {
    this.turns += 1;
    this.input += input;
    this.cached += cached;
    this.waitsMs.push(Number(headers.get('x-sluice-queue-ms')));
    const key = headers.get('x-sluice-key');
    if (talker.key !== null && talker.key === key) this.stayed += 1;
    else if (talker.key !== null) this.moved += 1;
    const isOver = talker.said.length >= 2 * TURNS - 1;
    talker.key = isOver ? null : key;
    if (isOver) talker.said = [this.#opening()];
    else goOn(talker.said);
  }
}

function goOn(said: string[]): void {
  said.push('Indeed.', `and ${said.length} ${'stone '.repeat(TURN_WORDS)}`);
}
