import type * as z from 'zod';
import type { Finding, Path } from './mistakes.ts';
import { nearest } from './suggest.ts';

type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

/** Words for what the schema itself has no words for. They describe the value, they never repeat it. */
export function explainIssue(issue: RawIssue): string | undefined {
  if (issue.input === undefined && issue.code !== 'unrecognized_keys') return 'is missing';
  switch (issue.code) {
    case 'invalid_type':
      return explainType(issue.expected, issue.input);
    case 'invalid_value':
      return explainChoice(issue.values.map(String), issue.input);
    case 'too_small':
      return 'must have at least one entry';
    default:
      return undefined;
  }
}

function explainType(expected: string, input: unknown): string {
  const advice = expected === 'string' && typeof input !== 'object' ? ': put it in quotes' : '';
  return `must be ${KINDS[expected] ?? expected}, not ${kindOf(input)}${advice}`;
}

function explainChoice(values: readonly string[], input: unknown): string {
  const guess = typeof input === 'string' ? nearest(input, values) : null;
  return `must be one of ${values.join(', ')}.${guess === null ? '' : ` Did you mean "${guess}"?`}`;
}

function kindOf(input: unknown): string {
  if (input === null) return 'empty';
  if (Array.isArray(input)) return 'a list';
  return KINDS[typeof input] ?? 'something else';
}

/** An issue of the schema as one finding or several: every unknown key counts, and a choice of shapes is resolved. */
export function findingsOf(issue: Issue, around: Path = []): Finding[] {
  const path = [...around, ...issue.path.map(stepOf)];
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    return issue.keys.map((key, index) => ({
      path: [...path, key],
      message: messages[index] ?? 'unknown key.',
      isAboutKey: true,
    }));
  }
  if (issue.code === 'invalid_key') {
    return [{ path, message: issue.issues[0]?.message ?? 'is not allowed here', isAboutKey: true }];
  }
  if (issue.code !== 'invalid_union') return [{ path, message: issue.message }];
  const meant = issue.errors.find((branch) => !branch.some(isWrongShape));
  return meant ? meant.flatMap((inner) => findingsOf(inner, path)) : [{ path, message: issue.message }];
}

/** The branch was not meant at all: already the value as a whole is of another kind. */
function isWrongShape(issue: Issue): boolean {
  return (
    issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value' || isMismatch(issue))
  );
}

/** A union within a branch that fits in no shape either. */
function isMismatch(issue: Issue): boolean {
  return issue.code === 'invalid_union' && issue.errors.every((branch) => branch.some(isWrongShape));
}

function stepOf(step: PropertyKey): string | number {
  return typeof step === 'symbol' ? String(step) : step;
}
