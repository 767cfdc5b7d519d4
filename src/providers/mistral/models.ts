/** What Mistral's models take differs from one generation to the next. */
export interface ModelFacts {
  /** `effort`: thinks when told to by `reasoning_effort`. `always`: whatever it is told. */
  readonly thinking: 'none' | 'effort' | 'always';
  /** It wants the turns of a conversation in one order: no user behind a tool, no text beside calls. */
  readonly isStrictAboutTurns: boolean;
}

const ALWAYS = /^magistral-/;
const BY_EFFORT = /^mistral-(?:small-(?:latest|4|2[6-9]\d\d)|medium-(?:3|2[6-9]\d\d)|large-(?:4|2[6-9]\d\d))/;
/** Names of the first models, and of those that were made before 2025. */
const OLD = /^open-mi|^mistral-tiny|-2[34]\d\d$/;

/** What is known of a model by its name (docs.mistral.ai, its pages on models and reasoning). */
export function modelFacts(model: string): ModelFacts {
  return { thinking: thinkingOf(model), isStrictAboutTurns: OLD.test(model) };
}

function thinkingOf(model: string): ModelFacts['thinking'] {
  if (ALWAYS.test(model)) return 'always';
  return BY_EFFORT.test(model) ? 'effort' : 'none';
}
