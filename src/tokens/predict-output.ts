import { RecentMap } from './recent-map.ts';

/** Whose output, under which cap. */
export interface OutputQuestion {
  readonly model: string;
  readonly client: string;
  /** The client's own cap on the whole output, in LLM tokens; null when it gave none. */
  readonly capTokens: number | null;
}

export interface OutputObservation extends OutputQuestion {
  /** What was really produced, reasoning included. */
  readonly outputTokens: number;
}

/** LLM tokens, within the cap. */
export interface OutputPrediction {
  /** The expected value: what will stay booked on average. */
  readonly meanTokens: number;
  /** Nine of ten answers are not longer. */
  readonly upperTokens: number;
}

/** The newest answer's least share in the mean: 5 times longer answers are within 2 % of it after 100. */
const MEAN_GAIN = 0.04;
/** How many answers the assumption at the start is worth. */
const PRIOR_ANSWERS = 2;
const UPPER_SHARE = 0.9;
/** How far one answer moves the upper figure, as a power of e: coarse in the first answers, then fine. */
const UPPER_GAIN_EARLY = 0.4;
const UPPER_GAIN = 0.12;
const EARLY_ANSWERS = 20;
/** Fewer answers than this say less than those of the same client under other caps, or of other clients. */
const ENOUGH_ANSWERS = 3;
const MAX_SERIES = 20_000;

/**
 * Predicts how long answers will be from how long they were: by model, client and size of the cap where enough answers
 * are known, else by model and client, else by model, else as configured.
 */
export class OutputPredictor {
  #startTokens: number;
  readonly #series: RecentMap<OutputSeries>;

  /** `startTokens`: the configured `predicted_output`. `maxSeries` bounds the memory: about 200 bytes each. */
  constructor(startTokens: number, maxSeries: number = MAX_SERIES) {
    this.#startTokens = startTokens;
    this.#series = new RecentMap(maxSeries);
  }

  /** What to assume of whatever nothing is known of; what was learned stays learned. */
  startFrom(tokens: number): void {
    this.#startTokens = tokens;
  }

  /** How many combinations are remembered. */
  get size(): number {
    return this.#series.size;
  }

  predict(question: OutputQuestion): OutputPrediction {
    const cap = question.capTokens ?? Number.POSITIVE_INFINITY;
    for (const key of keysOf(question)) {
      const series = this.#series.get(key);
      if (series !== undefined && series.answers >= ENOUGH_ANSWERS) {
        return { meanTokens: Math.min(cap, series.mean), upperTokens: Math.min(cap, series.upper) };
      }
    }
    const start = Math.min(cap, this.#startTokens);
    return { meanTokens: start, upperTokens: start };
  }

  /** An output that is no number, or negative, teaches nothing. */
  observe(answer: OutputObservation): void {
    const { outputTokens, capTokens } = answer;
    if (!(Number.isFinite(outputTokens) && outputTokens >= 0)) return;
    const startTokens = Math.min(this.#startTokens, capTokens ?? this.#startTokens);
    for (const key of keysOf(answer)) {
      this.#series.getOrCreate(key, () => new OutputSeries(startTokens)).add(outputTokens);
    }
  }
}

/** Mean and upper figure of one series of outputs, in two numbers. */
class OutputSeries {
  mean: number;
  upper: number;
  answers = 0;

  constructor(startTokens: number) {
    this.mean = startTokens;
    this.upper = startTokens;
  }

  add(outputTokens: number): void {
    this.answers++;
    this.mean += (outputTokens - this.mean) * Math.max(MEAN_GAIN, 1 / (this.answers + PRIOR_ANSWERS));
    // Nine small steps down for one large step up: it rests where one answer in ten is longer.
    const gain = this.answers <= EARLY_ANSWERS ? UPPER_GAIN_EARLY : UPPER_GAIN;
    const step = outputTokens > this.upper ? UPPER_SHARE : UPPER_SHARE - 1;
    this.upper = Math.max(1, this.upper * Math.exp(gain * step));
  }
}

/** From the most to the least particular. Caps within a factor of four share a series. */
function keysOf({ model, client, capTokens }: OutputQuestion): readonly string[] {
  const capSize = capTokens === null ? 'none' : Math.floor(Math.log2(Math.max(1, capTokens)) / 2);
  return [`${model}\n${client}\n${capSize}`, `${model}\n${client}`, model];
}
