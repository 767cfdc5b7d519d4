import { RecentMap } from './recent-map.ts';

/** One answer whose usage is known, in LLM tokens of its input. */
export interface InputObservation {
  readonly provider: string;
  readonly model: string;
  /** As estimated, before any correction. */
  readonly estimatedTokens: number;
  /** As the answer's usage says. */
  readonly realTokens: number;
}

export interface Correction {
  /** Real over estimated. The plain figure: who books by it adds a margin of its own. */
  readonly factor: number;
  /** On how many answers it rests. */
  readonly answers: number;
}

/** What is left of an answer's weight after the next one: half of it after 17. */
const KEEP = 0.96;
/** How many answers like the first the assumption "factor 1" is worth at the start. */
const PRIOR_ANSWERS = 2;
/** One huge prompt weighs no more than this many ordinary ones. */
const MAX_WEIGHT = 4;
/** A single answer that is further off is a mistake, such as usage in another unit, and counts as this far off. */
const MAX_SINGLE_RATIO = 8;
const MIN_FACTOR = 0.25;
const MAX_FACTOR = 4;
const MAX_PAIRS = 2000;
const MAX_PROMPT_TOKENS = 1e9;

const UNCORRECTED: Correction = { factor: 1, answers: 0 };

/** Learns by provider and model how much our estimate of the input differs from what the upstream counts. */
export class Calibration {
  readonly #pairs = new RecentMap<Ratio>(MAX_PAIRS);

  correction(provider: string, model: string): Correction {
    return this.#pairs.get(keyOf(provider, model))?.correction() ?? UNCORRECTED;
  }

  /** Figures below 1 or beyond any prompt teach nothing. */
  observe({ provider, model, estimatedTokens, realTokens }: InputObservation): void {
    if (!(isCount(estimatedTokens) && isCount(realTokens))) return;
    this.#pairs.getOrCreate(keyOf(provider, model), () => new Ratio()).add(estimatedTokens, realTokens);
  }
}

/** A ratio of two fading sums: long prompts, where the ratio is certain, weigh more than short ones. */
class Ratio {
  #estimated = 0;
  #real = 0;
  #weights = 0;
  #answers = 0;

  add(estimated: number, real: number): void {
    if (this.#answers === 0) {
      this.#estimated = estimated * PRIOR_ANSWERS;
      this.#real = this.#estimated;
      this.#weights = PRIOR_ANSWERS;
    }
    this.#answers++;
    const usual = this.#estimated / this.#weights;
    const weighed = Math.min(estimated, usual * MAX_WEIGHT);
    this.#estimated = this.#estimated * KEEP + weighed;
    this.#real = this.#real * KEEP + weighed * clamp(real / estimated, 1 / MAX_SINGLE_RATIO, MAX_SINGLE_RATIO);
    this.#weights = this.#weights * KEEP + 1;
  }

  correction(): Correction {
    return { factor: clamp(this.#real / this.#estimated, MIN_FACTOR, MAX_FACTOR), answers: this.#answers };
  }
}

function keyOf(provider: string, model: string): string {
  return `${provider}\n${model}`;
}

function isCount(tokens: number): boolean {
  return tokens >= 1 && tokens <= MAX_PROMPT_TOKENS;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
