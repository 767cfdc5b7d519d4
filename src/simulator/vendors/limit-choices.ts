import { LIMIT_NAMES, type LimitName, type LimitOptions, type LimitsOptions } from '../limits/limit-spec.ts';

/** Limits with a vendor's usual choices where the options leave them open. */
export function withChoices(
  given: LimitsOptions,
  choices: { readonly [name in LimitName]?: Partial<LimitOptions> },
): LimitsOptions {
  const limits: { [name in LimitName]?: LimitOptions } = {};
  for (const name of LIMIT_NAMES) {
    const limit = given[name];
    if (limit === undefined) continue;
    limits[name] = { ...choices[name], ...withoutGaps(typeof limit === 'number' ? { limit } : limit) };
  }
  return limits;
}

/** What is there but undefined must not hide a choice. */
function withoutGaps(options: LimitOptions): LimitOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as LimitOptions;
}
