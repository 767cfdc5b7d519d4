import * as z from 'zod';
import { ALGORITHMS, LIMIT_MEANING, type LimitName, type LimitSetting } from './limits.ts';
import { amount, dailyReset, duration, modelPattern, name, section, share } from './schema-parts.ts';

const limitDetails = section({
  limit: amount.describe('How much fits into one window.'),
  algorithm: z
    .enum(ALGORITHMS)
    .optional()
    .describe(
      'How the upstream counts. Absent: as the provider is known to do, or fixed-window where `resets` is given.',
    ),
  resets: dailyReset.optional().describe('When the day begins, such as "00:00 America/Los_Angeles".'),
  burst: share.optional().describe('Share of one window that may be used at once.'),
  slice: duration.optional().describe('The same limit is also enforced in slices of this length.'),
});

type Details = z.output<typeof limitDetails>;

/** What cannot be meant together; the first field named is the one to change. */
function contradictionsOf(limitName: LimitName, details: Details): readonly [keyof Details, string][] {
  const { windowMs } = LIMIT_MEANING[limitName];
  const found: [keyof Details, string][] = [];
  const { algorithm, resets, burst, slice } = details;
  if (windowMs === null) {
    const extra = (['algorithm', 'resets', 'burst', 'slice'] as const).filter((field) => details[field] !== undefined);
    return extra.map((field) => [field, `does not go with ${limitName}, which has no window: remove it`]);
  }
  if (resets !== undefined && !limitName.endsWith('d')) {
    found.push(['resets', `is for limits of a day (rpd, tpd), and ${limitName} is one of a minute: remove it`]);
  }
  if (resets !== undefined && algorithm !== undefined && algorithm !== 'fixed-window') {
    found.push(['resets', `goes with fixed-window only, and the algorithm is ${algorithm}: remove one of the two`]);
  }
  if (burst === 0) found.push(['burst', 'must be above 0, or nothing could ever start']);
  if (slice !== undefined && (slice <= 0 || slice >= windowMs)) {
    found.push(['slice', 'must be above 0 and shorter than the window of the limit']);
  }
  return found;
}

/** Leaves out what was not given, so that more general settings show through. */
function settingOf(details: Details): LimitSetting {
  const { limit, resets, burst, slice } = details;
  const algorithm = details.algorithm ?? (resets ? 'fixed-window' : undefined);
  return {
    limit,
    ...(algorithm === undefined ? {} : { algorithm }),
    ...(burst === undefined ? {} : { burst }),
    ...(slice === undefined ? {} : { sliceMs: slice }),
    ...(resets === undefined ? {} : { resets }),
  };
}

function limitOf(limitName: LimitName) {
  const setting = limitDetails
    .superRefine((details, context) => {
      for (const [field, message] of contradictionsOf(limitName, details)) {
        context.addIssue({ code: 'custom', path: [field], message });
      }
    })
    .transform(settingOf);
  return z.union(
    [z.literal('none'), amount.transform((limit): LimitSetting => ({ limit })), setting],
    'must be a number such as 500 or 200k, a mapping with `limit`, or none',
  );
}

/** Limits of one bucket. */
export const limits = section({
  rpm: limitOf('rpm').optional().describe('Requests a minute.'),
  rpd: limitOf('rpd').optional().describe('Requests a day.'),
  tpm: limitOf('tpm').optional().describe('Tokens a minute, input and output together.'),
  tpd: limitOf('tpd').optional().describe('Tokens a day, input and output together.'),
  itpm: limitOf('itpm').optional().describe('Input tokens a minute.'),
  otpm: limitOf('otpm').optional().describe('Output tokens a minute.'),
  concurrency: limitOf('concurrency').optional().describe('Requests in flight at once.'),
}).meta({ id: 'limits' });

export const quota = section({
  name: name.describe('What keys call it by.'),
  limits: limits.prefault({}).describe('One bucket over all models of the quota.'),
  models: z
    .record(modelPattern, limits)
    .prefault({})
    .describe('One bucket a line: an upstream model, or a pattern with `*` for a family that shares the bucket.'),
});
