import { asText, type Json } from '../json.ts';

/** Which functions a request lets the model call. `name`: this one and no other. */
export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string };

export interface ToolCase {
  readonly choice: ToolChoice;
  /** Each has a `name`, maybe a `description` and `parameters`. */
  readonly tools: readonly Json[];
  /** What the user said last; null: the last word was not the user's. */
  readonly lastSaid: string | null;
  readonly isOneAtMost: boolean;
}

/** Looked through for the wish to call something; in a longer text the search could take for ever. */
const WISH_CHARS = 2000;

/**
 * What the model calls: all functions that the user's last words name, or the first one where calling is asked for without
 * a name.
 */
export function calledFunctions({ choice, tools, lastSaid, isOneAtMost }: ToolCase): Json[] {
  if (choice === 'none') return [];
  if (typeof choice === 'object') return tools.filter(({ name }) => name === choice.name).slice(0, 1);
  const named = lastSaid === null ? [] : tools.filter(({ name }) => lastSaid.includes(asText(name)));
  if (named.length > 0) return isOneAtMost ? named.slice(0, 1) : named;
  const isAsked =
    choice === 'required' || /\b(call|use)\b[^.]*\b(tool|function)\b/i.test(lastSaid?.slice(-WISH_CHARS) ?? '');
  return isAsked ? tools.slice(0, 1) : [];
}
