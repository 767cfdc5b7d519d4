import type { UpstreamHeaders } from '../../upstream/transport.ts';
import type { Outcome, Spent } from '../provider.ts';
import { isContextOverflow } from './context-overflow.ts';
import { fromSentence, readRetryHint } from './retry-hint.ts';
import { MINUTE_MS, parseDuration } from './spans-of-time.ts';

/** A failed answer as the rules see it. */
export interface Refusal {
  /** Of the answer; for an error inside a 200, the one that the error stands for. */
  readonly status: number;
  /** Code, type and message in one, so that a rule can look for a mark without asking where a vendor puts it. */
  readonly words: string;
  readonly message: string;
  /** The whole body as text: details that have no place in OpenAI's four keys. Empty when it is not JSON. */
  readonly body: string;
  readonly headers: UpstreamHeaders;
  readonly spent: Spent | null;
}

interface ErrorRule {
  /** Absent: any. */
  readonly statuses?: readonly number[];
  readonly says?: RegExp;
  readonly when?: (refusal: Refusal) => boolean;
  readonly outcome: Outcome | ((refusal: Refusal) => Outcome);
}

const CREDENTIALS: Outcome = { kind: 'disabled', reason: 'credentials', scope: 'key' };
const BILLING: Outcome = { kind: 'disabled', reason: 'billing', scope: 'key' };
const MODEL: Outcome = { kind: 'disabled', reason: 'model', scope: 'key_model' };
const FAILED: Outcome = { kind: 'failed' };
const CLIENT: Outcome = { kind: 'client' };

/** While a local server loads its model, and while its own queue is full. It sends no hint of its own. */
const LOADING_MS = 2_000;
const QUEUE_FULL_MS = 1_000;
/** Until one of the requests that run has ended, where a vendor limits those. */
const SLOT_MS = 1_000;

const BILLING_MARKS = new RegExp(
  [
    'insufficient_quota',
    'credit_balance_exhausted',
    '(?:organization|project)_(?:spend|usage)_limit_exceeded',
    'billing_hard_limit_reached',
    'billing_not_active',
    'insufficient balance',
    'credit balance is too low',
    'used all available credits',
    'monthly spending limit',
    // Z.AI tells its refusals apart by numbers.
    '^1113 ',
  ].join('|'),
  'i',
);

const NO_SUCH_MODEL = new RegExp(
  [
    'model_not_found',
    'invalid_model\\b',
    'model_not_available',
    'model\\b.{0,200} (?:does not exist|not found)',
    'model not exist',
    'is not a valid model id',
  ].join('|'),
  'i',
);

/** The rules in order; the first that fits decides. What a vendor says in words goes before what its status says. */
const RULES: readonly ErrorRule[] = [
  // A request that is larger than the whole limit comes as 429 at OpenAI, as 413 at Groq, there with a false retry-after.
  { statuses: [400, 413, 429], says: /request too large for/i, outcome: neverFits },
  { statuses: [429], when: ({ spent }) => asksForMoreThanTheLimit(spent), outcome: neverFits },
  { statuses: [400, 413, 422], when: ({ words }) => isContextOverflow(words), outcome: { kind: 'context' } },

  // OpenRouter reserves the output cap against the credit: a smaller request may still pass.
  { statuses: [402], says: /fewer max_tokens|can only afford [1-9]/i, outcome: neverFits },
  { statuses: [402], outcome: BILLING },
  { statuses: [400, 401, 403, 429], says: BILLING_MARKS, outcome: BILLING },
  // Google uses the same sentence for the limits of a minute.
  { statuses: [429], says: /^(?!.*RESOURCE_EXHAUSTED).*check your plan and billing details/is, outcome: BILLING },
  { statuses: [412], says: /suspended/i, outcome: BILLING },
  { statuses: [400, 429], says: /you will regain access on|enforced_spend_limit/i, outcome: exhausted },

  { statuses: [429], says: /RESOURCE_EXHAUSTED/, outcome: googleQuota },
  // A cheaper tier that is full says nothing about the others (OpenAI flex, Groq flex).
  { statuses: [429], says: /resource[ _]unavailable/i, outcome: tierFull },
  { statuses: [498], outcome: tierFull },
  {
    statuses: [429],
    says: /service_tier_capacity_exceeded|\b3505\b|during peak load|^1305 |model is not ready/i,
    outcome: capacity,
  },
  { statuses: [429], says: /^1302 /, outcome: (refusal) => waitAtLeast(refusal, SLOT_MS) },
  { statuses: [429], says: /^13(?:08|10) /, outcome: exhausted },
  // OpenRouter passes on what the vendor behind it said; its own refusals carry no provider.
  { statuses: [429], when: ({ body }) => /"provider_name"\s*:\s*"/.test(body), outcome: capacity },
  {
    statuses: [429],
    says: /\b(?:RPD|TPD)\b|per[ -]day|per[ -]month|\/ (?:day|month)\b|\bdaily\b|\bmonthly\b/i,
    outcome: longGone,
  },
  { statuses: [429], outcome: wait },

  { statuses: [503], says: /slow down/i, outcome: { kind: 'ramp' } },
  { statuses: [503], says: /loading model/i, outcome: (refusal) => waitAtLeast(refusal, LOADING_MS) },
  { statuses: [503], says: /maximum pending requests/i, outcome: (refusal) => waitAtLeast(refusal, QUEUE_FULL_MS) },
  { statuses: [503, 529], outcome: capacity },
  { statuses: [500, 502], says: /overloaded/i, outcome: capacity },

  { statuses: [401], outcome: CREDENTIALS },
  {
    statuses: [400, 403],
    says: /api key not valid|api_key_invalid|invalid_api_key|incorrect api key/i,
    outcome: CREDENTIALS,
  },
  { statuses: [403], says: /moderation|flagged/i, outcome: CLIENT },
  // A page instead of JSON comes from something in between, which knows nothing of keys.
  { statuses: [403, 404], when: ({ body }) => body === '', outcome: FAILED },
  { statuses: [403], outcome: MODEL },
  { statuses: [400, 404], says: NO_SUCH_MODEL, outcome: MODEL },
  // The path is not the client's choice.
  { statuses: [404], says: /^\s*(?:not found)?\s*$/i, outcome: FAILED },

  { statuses: [413], outcome: { kind: 'never_fits', unit: null, limit: null } },
  { statuses: [405, 408, 409, 415, 425], outcome: FAILED },
  { when: ({ status }) => status >= 400 && status < 500, outcome: CLIENT },
];

/** What a refusal of a server that speaks OpenAI's format means. Sources: each vendor's documented errors. */
export function judge(refusal: Refusal): Outcome {
  const rule = RULES.find((each) => fits(each, refusal));
  if (rule === undefined) return FAILED;
  return typeof rule.outcome === 'function' ? rule.outcome(refusal) : rule.outcome;
}

function fits({ statuses, says, when }: ErrorRule, refusal: Refusal): boolean {
  if (statuses !== undefined && !statuses.includes(refusal.status)) return false;
  if (says !== undefined && !says.test(refusal.words)) return false;
  return when === undefined || when(refusal);
}

function asksForMoreThanTheLimit(spent: Spent | null): boolean {
  return spent !== null && spent.limit !== null && spent.requested !== null && spent.requested > spent.limit;
}

function neverFits({ spent }: Refusal): Outcome {
  return { kind: 'never_fits', unit: spent?.unit ?? null, limit: spent?.limit ?? null };
}

function hintOf({ headers, message }: Refusal): number | null {
  return readRetryHint(headers, message);
}

function wait(refusal: Refusal): Outcome {
  return { kind: 'wait', retryAfterMs: hintOf(refusal), readings: refusal.spent === null ? [] : [refusal.spent] };
}

function waitAtLeast(refusal: Refusal, leastMs: number): Outcome {
  return { kind: 'wait', retryAfterMs: Math.max(hintOf(refusal) ?? 0, leastMs), readings: [] };
}

function capacity(refusal: Refusal): Outcome {
  return { kind: 'capacity', retryAfterMs: hintOf(refusal) };
}

function tierFull(refusal: Refusal): Outcome {
  return { kind: 'capacity', retryAfterMs: hintOf(refusal), isTierOnly: true };
}

function exhausted(refusal: Refusal): Outcome {
  return { kind: 'exhausted', retryAfterMs: hintOf(refusal) };
}

/** A day's bucket that refills evenly may have room again within the minute, and its sentence says so. */
function longGone(refusal: Refusal): Outcome {
  const hint = fromSentence(refusal.message);
  return hint !== null && hint <= MINUTE_MS ? wait(refusal) : exhausted(refusal);
}

/** A day's violation carries a short `retryDelay` as well: the name of the quota counts. A quota of 0 is a model not on the plan. */
function googleQuota(refusal: Refusal): Outcome {
  const { body } = refusal;
  if (/"quotaValue"\s*:\s*"0"/.test(body)) return MODEL;
  if (/"quotaId"\s*:\s*"[^"]*PerDay/.test(body)) return { kind: 'exhausted', retryAfterMs: null };
  const delay = /"retryDelay"\s*:\s*"([^"]+)"/.exec(body)?.[1];
  const delayMs = delay === undefined ? null : (parseDuration(delay)?.ms ?? null);
  return { kind: 'wait', retryAfterMs: delayMs ?? hintOf(refusal), readings: [] };
}
