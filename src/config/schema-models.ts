import * as z from 'zod';
import { limits } from './schema-limits.ts';
import {
  after,
  amount,
  duration,
  jsonObject,
  money,
  name,
  offOrDuration,
  section,
  text,
  weight,
  wholeNumber,
} from './schema-parts.ts';

/** How the routes that can start a request now are ordered. */
const STRATEGIES = [
  'headroom',
  'failover',
  'round-robin',
  'weighted',
  'least-usage',
  'least-busy',
  'lowest-latency',
  'lowest-price',
] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** What a target may offer beyond plain text. The same words as in `providers/provider.ts`; a test compares them. */
export const CAPABILITIES = ['tools', 'vision', 'json_schema', 'audio', 'files', 'logprobs', 'n'] as const;
export type Capability = (typeof CAPABILITIES)[number];

export const queue = section({
  max_size: wholeNumber(0).optional().describe('Requests that may wait, per client and model.'),
  max_wait: duration.optional().describe('Longest wait.'),
});

/** Fields of a request that Sluice itself works by, and what to use instead. */
const OWN_FIELDS: ReadonlyMap<string, string> = new Map([
  ['model', 'may not be edited: the field `model` of the target says what the upstream is asked for'],
  ['stream', 'may not be edited: whether an answer is streamed is for the client to say'],
  ['stream_options', 'may not be edited: `stream_usage` of the provider says whether the usage is asked for'],
]);

const target = section({
  provider: name.describe('The name of an entry under `providers`.'),
  model: text.optional().describe('What the upstream calls the model. Absent: as the clients do.'),
  base_model: text
    .optional()
    .describe('The model behind it, for tokenizer, context, price and capabilities, where its name does not say.'),
  context_length: amount.optional().describe('Tokens of input and output that fit. Absent: not checked.'),
  max_output_tokens: amount.optional().describe('Longest output in tokens.'),
  weight: weight.prefault(1).describe('Share of the traffic under weighted strategies: higher gets more.'),
  after: after
    .prefault('0s')
    .describe(
      'Used only when the targets before it cannot start within this time; `down`: only when all of them fail.',
    ),
  limits: limits.prefault({}).describe("Over the provider's limits, one by one."),
  supports: z
    .array(z.enum(CAPABILITIES))
    .optional()
    .describe("What it offers; a request that needs more is not sent there. Absent: as the provider's type."),
  params: jsonObject.prefault({}).describe('Parameters to add where the request does not say.'),
  force: jsonObject.prefault({}).describe('Parameters to set whatever the request says.'),
  drop: z.array(text).prefault([]).describe('Parameters to take out.'),
  price: section({
    input: money.describe('Input.'),
    cached_input: money.optional().describe('Input from the cache. Absent: as input.'),
    output: money.describe('Output.'),
  })
    .optional()
    .describe('USD per million tokens.'),
}).superRefine((value, context) => {
  const { context_length: length, max_output_tokens: output, params, force, drop } = value;
  if (length !== undefined && output !== undefined && output > length) {
    const message = 'is more than `context_length`, which holds input and output together';
    context.addIssue({ code: 'custom', path: ['max_output_tokens'], message });
  }
  const edited = [
    ...Object.keys(params).map((name) => ['params', name]),
    ...Object.keys(force).map((name) => ['force', name]),
    // Taking the client's own options out is harmless, and some upstreams refuse them.
    ...drop.flatMap((name, index) => (name === 'stream_options' ? [] : [['drop', index, name]])),
  ];
  for (const path of edited) {
    const own = OWN_FIELDS.get(String(path.at(-1)).toLowerCase());
    if (own !== undefined) context.addIssue({ code: 'custom', path: path.slice(0, 2), message: own });
  }
});

export const model = section({
  name: name.describe('What clients ask for.'),
  aliases: z.array(name).prefault([]).describe('Other names for it.'),
  strategy: z.enum(STRATEGIES).prefault('headroom').describe('How a target and key are picked.'),
  affinity: offOrDuration.optional().describe('Over `defaults.affinity`. Absent under `failover`: off.'),
  queue: queue.prefault({}).describe('Over `defaults.queue`, one by one.'),
  fallbacks: z
    .array(name)
    .prefault([])
    .describe('Other models, when this one cannot start before the deadline, or has failed.'),
  context_fallbacks: z.array(name).prefault([]).describe('Other models, when a request is too long for this one.'),
  targets: z.array(target).min(1, 'needs at least one target').describe('Where its requests may go.'),
}).superRefine((value, context) => {
  const first = value.targets[0]?.after;
  if (first === undefined || first === 0) return;
  const message = 'holds back the first target, and nothing stands before it: remove it';
  context.addIssue({ code: 'custom', path: ['targets', 0, 'after'], message });
});
