import { CHARS_PER_TOKEN, type Kind, type Random, seeded, textOf } from '../../../test/tokens/texts.ts';
import { MODEL } from './keys.ts';

const LEAST_TOKENS = 50;
const MOST_TOKENS = 20_000;
/** Three languages that people write and one that machines read. */
const LANGUAGES: readonly Kind[] = ['english', 'chinese', 'arabic', 'code'];
const OUTPUT_CAPS = [256, 1024, 4096];

/**
 * Prompts of 50 to 20,000 tokens, as many short ones as long ones on a scale of ratios. They are drawn from a stock, so
 * that writing and counting them costs the machine little while it is measured; each body differs all the same.
 */
export class Prompts {
  readonly texts: readonly string[];
  readonly #random: Random;
  #count = 0;

  constructor(stock: number, seed: number) {
    this.#random = seeded(seed);
    this.texts = Array.from({ length: stock }, (_, index) => {
      const tokens = LEAST_TOKENS * (MOST_TOKENS / LEAST_TOKENS) ** ((index + 0.5) / stock);
      const kind = LANGUAGES[index % LANGUAGES.length] as Kind;
      return textOf(kind, tokens * CHARS_PER_TOKEN[kind], index + 1);
    });
  }

  /** The next request's body; half of them without a cap, half of them streamed. */
  next(): string {
    const text = this.#pick(this.texts);
    const cap = this.#random() < 0.5 ? {} : { max_completion_tokens: this.#pick(OUTPUT_CAPS) };
    this.#count += 1;
    return JSON.stringify({
      model: MODEL,
      stream: this.#random() < 0.5,
      metadata: { seq: String(this.#count) },
      ...cap,
      messages: [{ role: 'user', content: text }],
    });
  }

  /** Uniform in [0, 1). */
  random(): number {
    return this.#random();
  }

  #pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#random() * items.length)] as T;
  }
}
