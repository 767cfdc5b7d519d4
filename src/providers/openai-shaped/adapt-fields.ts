import type { Wire } from '../wire.ts';

type Adapt = NonNullable<Wire['adapt']>;

/** The cap on the output under the one name that a vendor takes it by: the other is ignored there, or refused. */
export function capAs(name: 'max_tokens' | 'max_completion_tokens'): Adapt {
  const other = name === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
  return (fields) => {
    const cap = fields.valueOf(other) ?? null;
    if (cap === null) return;
    fields.drop(other);
    if ((fields.valueOf(name) ?? null) === null) fields.set(name, cap);
  };
}

/** Log probabilities of so many of the likeliest tokens by one number, where OpenAI has a flag and a number. */
export const logprobsAsNumber: Adapt = (fields) => {
  const asked = fields.valueOf('logprobs');
  if (typeof asked !== 'boolean') return;
  const top = fields.valueOf('top_logprobs');
  fields.drop('top_logprobs');
  if (asked) fields.set('logprobs', typeof top === 'number' && top > 0 ? top : 1);
  else fields.drop('logprobs');
};

export function inTurn(...adapts: readonly Adapt[]): Adapt {
  return (fields, model) => {
    for (const adapt of adapts) adapt(fields, model);
  };
}
