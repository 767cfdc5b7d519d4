import { FAULT_KINDS, type FaultRule } from './faults.ts';

const LISTS = new Set(['keys', 'models', 'nth']);
const NUMBERS = new Set(['rate', 'fromMs', 'untilMs', 'delayMs', 'afterTokens', 'retryAfterMs']);

/** Reads fault rules that came from outside. Returns what is wrong with them as a sentence. */
export function readFaultRules(value: unknown): { rules: FaultRule[] } | { mistake: string } {
  if (!Array.isArray(value)) return { mistake: 'faults must be a list of rules such as {"kind":"500","rate":0.1}.' };
  for (const [index, rule] of value.entries()) {
    const mistake = mistakeIn(rule);
    if (mistake) return { mistake: `faults[${index}]: ${mistake}` };
  }
  return { rules: value as FaultRule[] };
}

function mistakeIn(rule: unknown): string | null {
  if (typeof rule !== 'object' || rule === null) return 'a rule is an object with a "kind".';
  const { kind, ...rest } = rule as Record<string, unknown>;
  if (!FAULT_KINDS.some((known) => known === kind)) return `"kind" must be one of ${FAULT_KINDS.join(', ')}.`;
  const mistakes = Object.entries(rest).map(([name, value]) => mistakeInCondition(name, value));
  return mistakes.find((mistake) => mistake !== null) ?? null;
}

function mistakeInCondition(name: string, value: unknown): string | null {
  if (LISTS.has(name)) return Array.isArray(value) ? null : `"${name}" must be a list.`;
  if (!NUMBERS.has(name)) return `"${name}" is not known; there are ${[...LISTS, ...NUMBERS].join(', ')}.`;
  return typeof value === 'number' && value >= 0 ? null : `"${name}" must be a number, 0 or more.`;
}
