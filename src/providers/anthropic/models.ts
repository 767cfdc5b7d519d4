/** What the Messages API takes and refuses differs from one generation of models to the next. */
export interface ModelFacts {
  /** Most tokens of one answer, thinking included. */
  readonly maxOutputTokens: number;
  /** `maxOutputTokens` is the model's own, so that asking for more is an error. */
  readonly isKnown: boolean;
  /** It takes `output_config.format`. */
  readonly hasSchemas: boolean;
  /** `budget`: thinks as many tokens as it is given. `adaptive`: as it sees fit, by `output_config.effort`. */
  readonly thinking: 'none' | 'budget' | 'adaptive';
  /** Its highest efforts are `xhigh` and `max`; others know only `max`. */
  readonly hasXhigh: boolean;
  /** `one`: temperature or top_p, not both. `none`: it refuses all of them. */
  readonly sampling: 'both' | 'one' | 'none';
}

/** Other makers' models behind an API of this format: nothing is taken for granted. */
const UNKNOWN: ModelFacts = {
  maxOutputTokens: 4_096,
  isKnown: false,
  hasSchemas: false,
  thinking: 'none',
  hasXhigh: false,
  sampling: 'both',
};

/** By generation, newest first; a name without a number that can be read is of the newest. */
const GENERATIONS: readonly (readonly [since: number, facts: Partial<ModelFacts>])[] = [
  [407, { thinking: 'adaptive', hasSchemas: true, hasXhigh: true, sampling: 'none' }],
  [406, { thinking: 'adaptive', hasSchemas: true, sampling: 'one' }],
  [405, { thinking: 'budget', hasSchemas: true, sampling: 'one' }],
  [401, { thinking: 'budget', sampling: 'one' }],
  [307, { thinking: 'budget' }],
];

/** Both orders of the parts of a name: `claude-opus-4-5-20251101`, `claude-3-5-sonnet-latest`. A date is no number. */
const NAME = /claude-(?:[a-z]+-)?(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?/;

/** What is known of a model by its name (platform.claude.com/docs/en/about-claude/models/overview). */
export function modelFacts(model: string): ModelFacts {
  if (!model.includes('claude')) return UNKNOWN;
  const [, major, minor = '0'] = NAME.exec(model) ?? [];
  const generation = major === undefined ? null : Number(major) * 100 + Number(minor);
  const known = GENERATIONS.find(([since]) => (generation ?? Number.POSITIVE_INFINITY) >= since)?.[1] ?? {};
  return { ...UNKNOWN, isKnown: generation !== null, maxOutputTokens: longestOutput(model, generation), ...known };
}

/** Where descriptions differ, the smaller figure: to ask for more than there is would be refused. */
function longestOutput(model: string, generation: number | null): number {
  if (generation === null) return 64_000;
  if (generation < 305) return 4_096;
  if (generation < 307) return 8_192;
  if (model.includes('opus') && generation < 405) return 32_000;
  const isLarge = generation >= 407 || (generation === 406 && model.includes('opus'));
  return isLarge && !model.includes('haiku') ? 128_000 : 64_000;
}
