import { fieldAt, textAt } from '../mapping/json.ts';
import { classifyAnswer } from '../openai-shaped/classify.ts';
import { readErrorBody } from '../openai-shaped/error-body.ts';
import { headerOf } from '../openai-shaped/headers.ts';
import { parseInstant, parseWhen } from '../openai-shaped/spans-of-time.ts';
import type { FailedAnswer, Outcome, UpstreamError } from '../provider.ts';

/** What errors stand for inside a stream, where the status says 200 (platform.claude.com/docs/en/api/errors). */
const STATUS_OF_TYPE: ReadonlyMap<string | null, number> = new Map([
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['conflict_error', 409],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['api_error', 500],
  ['timeout_error', 504],
  ['overloaded_error', 529],
]);

/** Behind a 400 as well as a 429: the budget that the owner of a key has set is spent. */
const SPENT = /regain access on|enforced_spend_limit_reached|usage limits?\b.{0,40}\breached/i;

/** Numbers of tokens rise too fast, whatever their level. */
const TOO_STEEP = /acceleration|usage increase rate|ramp|scale up (?:more )?gradually/i;

const CLOSED_ORGANIZATION = /organization has been (?:disabled|suspended)/i;

/** The prompt fits, but not together with the output that was asked for. */
const NO_ROOM_FOR_OUTPUT = /exceed (?:the )?context limit/i;

/** What a failure of this API means; what it says of nothing in particular is read as everybody's. */
export function classifyMessages(answer: FailedAnswer): Outcome {
  const error = readErrorBody(answer.json);
  const inBand = STATUS_OF_TYPE.get(error?.type ?? null) ?? 500;
  const status = answer.status < 300 ? inBand : answer.status;
  const code = textAt(fieldAt(fieldAt(answer.json, 'error'), 'details'), 'error_code');
  const words = `${code ?? ''} ${error?.message ?? ''}`.slice(0, MAX_CHARACTERS);
  return ownOutcome(answer, { status, words }) ?? classifyAnswer({ ...answer, status });
}

/** The error in a body or an event; a message that holds an answer is none. */
export function readMessagesError(json: unknown): UpstreamError | null {
  const isError = textAt(json, 'type') === 'error' || Boolean(fieldAt(json, 'error'));
  return isError ? readErrorBody(json) : null;
}

const MAX_CHARACTERS = 4_096;

interface Rule {
  readonly statuses: readonly number[];
  readonly says: RegExp;
  readonly outcome: Outcome | ((words: string, answer: FailedAnswer) => Outcome);
}

const RULES: readonly Rule[] = [
  { statuses: [400, 429], says: SPENT, outcome: spent },
  { statuses: [429], says: TOO_STEEP, outcome: { kind: 'ramp' } },
  {
    statuses: [400, 403],
    says: CLOSED_ORGANIZATION,
    outcome: { kind: 'disabled', reason: 'credentials', scope: 'key' },
  },
  { statuses: [400], says: NO_ROOM_FOR_OUTPUT, outcome: { kind: 'context' } },
  { statuses: [404], says: /\bmodel\b/i, outcome: { kind: 'disabled', reason: 'model', scope: 'key_model' } },
  // The path is not the client's choice.
  { statuses: [404], says: /^\s*not found\s*$/i, outcome: { kind: 'failed' } },
  // More than 32 MB, which holds for every key.
  { statuses: [413], says: /^/, outcome: { kind: 'client' } },
];

function ownOutcome(answer: FailedAnswer, { status, words }: { status: number; words: string }): Outcome | null {
  const rule = RULES.find(({ statuses, says }) => statuses.includes(status) && says.test(words));
  if (rule === undefined) return null;
  return typeof rule.outcome === 'function' ? rule.outcome(words, answer) : rule.outcome;
}

function spent(words: string, answer: FailedAnswer): Outcome {
  return { kind: 'exhausted', retryAfterMs: untilAccess(words, answer) };
}

/** "You will regain access on 2026-02-01 at 00:00 UTC"; a limit that names no day ends with the month. */
function untilAccess(words: string, { headers }: FailedAnswer): number | null {
  const date = headerOf(headers, 'date');
  const [, day, time = '00:00'] = /access on (\d{4}-\d\d-\d\d)(?: at (\d\d:\d\d))?/i.exec(words) ?? [];
  const until = day === undefined ? nextMonth(date) : `${day}T${time}:00Z`;
  return until === null ? null : (parseWhen(until, date)?.ms ?? null);
}

/** The first of the month after the one of an HTTP date, as RFC 3339. */
function nextMonth(date: string | null): string | null {
  const month = date === null || parseInstant(date) === null ? null : / ([a-z]{3}) (\d{4}) /i.exec(date);
  if (!month) return null;
  const next = MONTHS.indexOf((month[1] ?? '').toLowerCase()) + 1;
  const year = Number(month[2]) + (next === 12 ? 1 : 0);
  return `${year}-${String((next % 12) + 1).padStart(2, '0')}-01T00:00:00Z`;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
