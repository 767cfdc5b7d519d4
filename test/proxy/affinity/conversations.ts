import { Affinity } from '../../../src/proxy/affinity/affinity.ts';
import type { Route } from '../../../src/scheduler/route.ts';
import { seededRandom } from '../../scheduler/simulation/random.ts';
import type { World } from '../../scheduler/simulation/world.ts';

export interface TalkOptions {
  readonly hasAffinity: boolean;
  /** Mean time between an answer and the next turn, in ms. */
  readonly thinkMs: number;
  readonly talkers?: number;
  readonly turns?: number;
  readonly seed?: number;
}

const SYSTEM = { role: 'system', content: 'You are a helpful assistant.' };
const OPENING_TOKENS = 500;
const TURN_TOKENS = 300;
const ANSWER_TOKENS = 100;
const SERVICE_MS = 1_500;

/** People who talk in turns, each a new conversation when one is over, all with the same instructions. */
export class Conversations {
  /** Turns behind the first, by whether they went where the one before had been served. */
  stayed = 0;
  moved = 0;
  /** First turns, by route. */
  readonly opened = new Map<string, number>();
  readonly #world: World;
  readonly #affinity: Affinity;
  readonly #options: Required<TalkOptions>;
  readonly #random: () => number;
  #conversations = 0;
  #isOver = false;

  constructor(world: World, options: TalkOptions) {
    this.#world = world;
    this.#options = { talkers: 50, turns: 10, seed: 3, ...options };
    this.#random = seededRandom(this.#options.seed);
    this.#affinity = new Affinity({ clock: world.clock });
  }

  start(): this {
    for (let talker = 0; talker < this.#options.talkers; talker += 1) {
      this.#world.clock.schedule(this.#random() * this.#options.thinkMs, () => this.#open());
    }
    return this;
  }

  startMeasuring(): void {
    this.#world.startMeasuring();
    this.stayed = 0;
    this.moved = 0;
    this.opened.clear();
  }

  /** Nobody begins anything new. */
  stop(): void {
    this.#isOver = true;
  }

  get shareThatStayed(): number {
    return this.stayed / (this.stayed + this.moved);
  }

  #open(): void {
    const name = `conversation ${this.#conversations++}`;
    this.#say([SYSTEM, { role: 'user', content: `${name}: hello` }], { turn: 1, before: null });
  }

  #say(messages: readonly object[], { turn, before }: { readonly turn: number; readonly before: Route | null }): void {
    if (this.#isOver) return;
    const turns = { instructions: null, messages };
    const about = { client: 'c', model: 'm', keptMs: 3_600_000, body: {}, user: null };
    const conversation = this.#affinity.follow({ ...about, turns });
    const onServed = (route: Route): void => {
      conversation.servedBy(route.id);
      this.#count(route, before);
      this.#think(() => {
        if (turn === this.#options.turns) return this.#open();
        const said = [
          { role: 'assistant', content: `answer ${turn}` },
          { role: 'user', content: `and ${turn}?` },
        ];
        this.#say([...messages, ...said], { turn: turn + 1, before: route });
      });
    };
    const inputTokens = OPENING_TOKENS + TURN_TOKENS * (turn - 1);
    this.#world.submit(
      { inputTokens, outputTokens: ANSWER_TOKENS, serviceMs: SERVICE_MS, onServed },
      {
        prefers: this.#options.hasAffinity ? conversation.prefers : null,
        // Whoever is turned away says it again later.
        onRejection: () => this.#think(() => this.#say(messages, { turn, before })),
      },
    );
  }

  #count(route: Route, before: Route | null): void {
    if (before === null) this.opened.set(route.id, (this.opened.get(route.id) ?? 0) + 1);
    else if (before === route) this.stayed += 1;
    else this.moved += 1;
  }

  #think(then: () => void): void {
    this.#world.clock.schedule(-Math.log(1 - this.#random()) * this.#options.thinkMs, then);
  }
}
