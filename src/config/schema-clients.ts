import * as z from 'zod';
import { limits } from './schema-limits.ts';
import { modelPattern, money, name, section, text, weight } from './schema-parts.ts';

export const client = section({
  name: name.describe('Shown in logs and shares.'),
  key: text.describe('The secret, or "sha256:<hex>" as `sluice hash-key` prints it.'),
  priority: z.enum(['high', 'normal', 'low']).prefault('normal').describe('Class of its requests.'),
  weight: weight.prefault(1).describe('Share within its class: higher gets more.'),
  limits: limits.prefault({}).describe('Its own limits.'),
  on_limit: z.enum(['wait', 'reject']).prefault('wait').describe('What happens at its own limits.'),
  models: z.array(modelPattern).min(1).optional().describe('What it may ask for: names or patterns. Absent: all.'),
  budget: section({
    usd: money.describe('USD.'),
    per: z.enum(['day', 'week', 'month', 'total']).describe('When it begins anew.'),
  })
    .optional()
    .describe('What it may spend.'),
}).superRefine(({ key }, context) => {
  if (/^sha256:/i.test(key) && !/^sha256:[0-9a-f]{64}$/i.test(key)) {
    const message = 'begins with "sha256:" but 64 hexadecimal digits do not follow: make it with `sluice hash-key`';
    context.addIssue({ code: 'custom', path: ['key'], message });
  }
});
