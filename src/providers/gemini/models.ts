/** What generateContent takes and refuses differs from one generation of models to the next. */
export interface ModelFacts {
  /** `budget`: thinks as many tokens as it is given. `level`: by a word. Both at once are an error. */
  readonly thinking: 'none' | 'budget' | 'level';
  /** `thinkingLevel`, by effort; only for models that think by level. */
  readonly levels: ReadonlyMap<string, string>;
  /** Fewest thinking tokens that it takes. 0: thinking can be turned off. */
  readonly leastBudgetTokens: number;
  /** It wants the signature of its own thoughts back with every step that called tools. */
  readonly wantsSignatures: boolean;
  /** It takes JSON Schema as it is; others take the subset of OpenAPI. */
  readonly takesJsonSchema: boolean;
  /** It can be held to JSON and offered tools at the same time. */
  readonly combinesToolsAndJson: boolean;
  /** It takes `systemInstruction`. */
  readonly takesInstructions: boolean;
  /** Calls and their results carry ids, and results may hold pictures. */
  readonly hasRichResults: boolean;
}

const FLASH_LEVELS: ReadonlyMap<string, string> = new Map([
  ['none', 'minimal'],
  ['minimal', 'minimal'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
  ['xhigh', 'high'],
  ['max', 'high'],
]);
/** It can't think less than `low`. */
const PRO_LEVELS: ReadonlyMap<string, string> = new Map([...FLASH_LEVELS, ['none', 'low'], ['minimal', 'low']]);
/** The first of them knows two levels only. */
const FIRST_PRO_LEVELS: ReadonlyMap<string, string> = new Map([...PRO_LEVELS, ['medium', 'high']]);

const OLD: ModelFacts = {
  thinking: 'none',
  levels: new Map(),
  leastBudgetTokens: 0,
  wantsSignatures: false,
  takesJsonSchema: false,
  combinesToolsAndJson: false,
  takesInstructions: true,
  hasRichResults: false,
};

const NAME = /gemini-(\d+(?:\.\d+)?)/;
const NEWEST = 3.1;

/** What is known of a model by its name (ai.google.dev/gemini-api/docs, its pages on thinking and function calling). */
export function modelFacts(model: string): ModelFacts {
  const isPro = /-pro\b/.test(model);
  const version = versionOf(model);
  if (model.includes('gemma')) return { ...OLD, takesInstructions: false };
  if (version >= 3) return { ...OLD, ...NEW, levels: levelsOf(version, isPro) };
  if (version < 2.5) return OLD;
  return { ...OLD, thinking: 'budget', takesJsonSchema: true, leastBudgetTokens: isPro ? 128 : 0 };
}

const NEW = {
  thinking: 'level',
  wantsSignatures: true,
  takesJsonSchema: true,
  combinesToolsAndJson: true,
  hasRichResults: true,
} as const;

/** An alias such as `gemini-flash-latest` is the newest; a tuned model has a name of its own, and nothing is taken for granted. */
function versionOf(model: string): number {
  const version = NAME.exec(model)?.[1];
  if (version !== undefined) return Number(version);
  return /gemini-.*latest/.test(model) ? NEWEST : 0;
}

function levelsOf(version: number, isPro: boolean): ModelFacts['levels'] {
  if (!isPro) return FLASH_LEVELS;
  return version < NEWEST ? FIRST_PRO_LEVELS : PRO_LEVELS;
}
