import type { Encoding, EncodingLoader, EncodingName } from './encoding.ts';
import { loadEncoding } from './encoding.ts';
import { estimateChat, type PendingCount, type TokenEstimate } from './estimate.ts';
import { familyOf, type ModelFamily } from './model-family.ts';
import { TextCounter, type TextCounts } from './text-counter.ts';

export interface TextJob {
  readonly encoding: EncodingName;
  readonly texts: readonly string[];
}

/** Counts texts where they block nobody. */
export interface TextWorker {
  /** Null when it cannot: closed, crashed, too slow, too much to do. Never rejects. */
  count(job: TextJob): Promise<TextCounts | null>;
}

export interface TokenCounter {
  /**
   * The input of a chat completion for the upstream model of that name. Usually at once; a promise when the vocabulary
   * is not in memory yet, or when the text is too long to be counted here.
   */
  estimate(request: unknown, model: string): TokenEstimate | Promise<TokenEstimate>;
  /** Brings the vocabularies of these models into memory, so that no request waits for them. */
  preload(models: readonly string[]): Promise<void>;
}

export interface TokenCounterOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Null: what takes too long is extrapolated. */
  readonly worker: TextWorker | null;
  readonly load?: EncodingLoader;
}

/** Model names come from the configuration; should they ever not, this bounds what is kept of them. */
const MAX_KNOWN_MODELS = 1000;

/** One of each script. */
const WARM_UP_TEXTS = [
  'Warm-up of the counter, 42 words; ',
  '准备计数器',
  'تسخين العداد ',
  '🔥🎉',
  'dG9rZW5z/Zm9vYmFy+',
];
const WARM_UP_ROUNDS = 200;

export function createTokenCounter(options: TokenCounterOptions): TokenCounter {
  return new LazyTokenCounter(options);
}

/** A vocabulary is absent, then loading, then there; a load that failed is tried again by the next request. */
class LazyTokenCounter implements TokenCounter {
  readonly #now: () => number;
  readonly #worker: TextWorker | null;
  readonly #load: EncodingLoader;
  readonly #ready = new Map<EncodingName, TextCounter>();
  readonly #loading = new Map<EncodingName, Promise<TextCounter>>();
  readonly #families = new Map<string, ModelFamily>();

  constructor({ now, worker, load = loadEncoding }: TokenCounterOptions) {
    this.#now = now;
    this.#worker = worker;
    this.#load = load;
  }

  estimate(request: unknown, model: string): TokenEstimate | Promise<TokenEstimate> {
    const family = this.#familyOf(model);
    const counter = this.#ready.get(family.encoding);
    if (counter !== undefined) return this.#estimate(request, family, counter);
    return this.#counterOf(family.encoding).then((loaded) => this.#estimate(request, family, loaded));
  }

  async preload(models: readonly string[]): Promise<void> {
    await Promise.all(models.map((model) => this.#counterOf(familyOf(model).encoding)));
  }

  #estimate(request: unknown, family: ModelFamily, counter: TextCounter): TokenEstimate | Promise<TokenEstimate> {
    // Only the figures leave this function: `pending` holds the texts, and whoever waits in the queue must not.
    const { inputTokens, atLeastTokens, pending } = estimateChat(request, { counter, family, now: this.#now });
    const estimate = { inputTokens, atLeastTokens };
    if (pending === null || this.#worker === null) return estimate;
    return this.#worker
      .count({ encoding: family.encoding, texts: pending.texts })
      .then((better) => (better === null ? estimate : finish(counter, pending, better)));
  }

  #familyOf(model: string): ModelFamily {
    const known = this.#families.get(model);
    if (known !== undefined) return known;
    const family = familyOf(model);
    if (this.#families.size >= MAX_KNOWN_MODELS) this.#families.clear();
    this.#families.set(model, family);
    return family;
  }

  #counterOf(name: EncodingName): Promise<TextCounter> {
    const known = this.#loading.get(name);
    if (known !== undefined) return known;
    const loading = this.#load(name).then(
      (encoding: Encoding) => {
        const counter = new TextCounter(encoding);
        warmUp(counter);
        this.#ready.set(name, counter);
        return counter;
      },
      (cause: unknown) => {
        this.#loading.delete(name);
        throw cause;
      },
    );
    this.#loading.set(name, loading);
    return loading;
  }
}

/** Compiles the counting before the first request has to wait for it: cold, it is ten times as slow. */
function warmUp(counter: TextCounter): void {
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    const content = WARM_UP_TEXTS.map((text) => (text + round).repeat(3));
    const request = {
      messages: [
        { role: 'user', content: content.join(' ') },
        { role: 'user', content: `and ${round}` },
      ],
    };
    estimateChat(request, { counter, family: familyOf(''), now: () => 0 });
  }
}

/** The worker's counts are remembered here, so that the next turn of the conversation needs no worker. */
function finish(counter: TextCounter, pending: PendingCount, better: TextCounts): TokenEstimate {
  for (const [index, text] of pending.texts.entries()) {
    counter.learn(text, better.tokens[index] ?? 0, better.isExact[index] ?? false);
  }
  return pending.complete(better);
}
