import { isObject, listAt, numberAt, objectAt, textAt } from '../mapping/json.ts';
import { isContextOverflow } from '../openai-shaped/context-overflow.ts';
import { readErrorBody } from '../openai-shaped/error-body.ts';
import { readRetryHint } from '../openai-shaped/retry-hint.ts';
import type { FailedAnswer, Outcome, UpstreamError } from '../provider.ts';
import type { JsonObject } from '../wire.ts';
import { botchedBy, isBlocked } from './answer.ts';
import { quotaOutcome } from './quota-failure.ts';

/** A failed answer as the rules see it. */
interface Refusal {
  /** Of the answer; for an error inside a 200, the one that it states. */
  readonly status: number;
  /** Google's word for it, such as `RESOURCE_EXHAUSTED`. */
  readonly word: string;
  readonly message: string;
  /** `ErrorInfo.reason`, such as `API_KEY_INVALID`. */
  readonly reason: string;
  /** A page or nothing, from something between us and the vendor. */
  readonly isForeign: boolean;
  readonly error: JsonObject;
  readonly headers: FailedAnswer['headers'];
}

interface Rule {
  readonly statuses: readonly number[];
  readonly when?: (refusal: Refusal) => boolean;
  readonly outcome: Outcome | ((refusal: Refusal) => Outcome);
}

const CREDENTIALS: Outcome = { kind: 'disabled', reason: 'credentials', scope: 'key' };
const BILLING: Outcome = { kind: 'disabled', reason: 'billing', scope: 'key' };
const MODEL: Outcome = { kind: 'disabled', reason: 'model', scope: 'key_model' };
const CLIENT: Outcome = { kind: 'client' };
const FAILED: Outcome = { kind: 'failed' };

const KEY_REASON = /^(?:API_KEY_|CONSUMER_|SERVICE_DISABLED|ACCESS_TOKEN_|CREDENTIALS_)/;
const KEY_MESSAGE =
  /\bapi key (?:not valid|expired|not found)|reported as leaked|unregistered callers|has not been used in project/i;
/** The same word is used for files that aren't ready yet. */
const ACCOUNT = /location is not supported|billing|free tier is not available|country|region/i;
const NO_MODEL = /\bmodels?\b[/ ].{0,200}(?:not found|not supported)|unexpected model name|is no longer available/i;

/** The rules in order; the first that fits decides. Sources: ai.google.dev/gemini-api/docs/troubleshooting, bodies as seen. */
const RULES: readonly Rule[] = [
  { statuses: [400], when: ({ message }) => isContextOverflow(message), outcome: { kind: 'context' } },
  { statuses: [400, 401, 403], when: isOfTheKey, outcome: CREDENTIALS },
  { statuses: [401], outcome: CREDENTIALS },
  {
    statuses: [400],
    when: ({ word, message }) => word === 'FAILED_PRECONDITION' && ACCOUNT.test(message),
    outcome: BILLING,
  },
  { statuses: [400, 404], when: ({ message }) => NO_MODEL.test(message), outcome: MODEL },
  { statuses: [402], outcome: BILLING },
  { statuses: [403, 404], when: ({ isForeign }) => isForeign, outcome: FAILED },
  { statuses: [403], outcome: MODEL },
  { statuses: [413], outcome: { kind: 'never_fits', unit: null, limit: null } },
  { statuses: [429], outcome: ({ error, message, headers }) => quotaOutcome(error, { message, headers }) },
  { statuses: [503, 529], outcome: capacity },
  { statuses: [500], when: ({ message }) => /overloaded/i.test(message), outcome: capacity },
  // 499 is a call that was cancelled, there and not by us.
  { statuses: [405, 408, 409, 425, 499], outcome: FAILED },
];

/** What a failure of generateContent or its neighbours comes to. */
export function classify(answer: FailedAnswer): Outcome {
  const refusal = read(answer);
  const rule = RULES.find(({ statuses, when }) => statuses.includes(refusal.status) && (when?.(refusal) ?? true));
  if (rule !== undefined) return typeof rule.outcome === 'function' ? rule.outcome(refusal) : rule.outcome;
  return refusal.status >= 400 && refusal.status < 500 ? CLIENT : FAILED;
}

/**
 * The error in a body or an event, also in a list; an answer that ends with a botched call, or says nothing, is one too.
 * Google's word for it is what OpenAI calls a code; the number is only the status again.
 */
export function readError(json: unknown): UpstreamError | null {
  const botched = botchedBy(json);
  const error = readErrorBody(botched === null ? json : { error: botchedError(botched) });
  if (error !== null) return { ...error, type: null, code: error.type };
  return isEmpty(json) ? EMPTY : null;
}

/** Neither an answer nor a reason why there is none. */
function isEmpty(json: unknown): boolean {
  return isObject(json) && json['candidates'] === undefined && json['embeddings'] === undefined && !isBlocked(json);
}

const EMPTY: UpstreamError = { message: 'The answer is empty.', type: null, param: null, code: null };

/** What Google would say of a call that its model botched. */
export function botchedError(word: string): JsonObject {
  return { code: 500, message: `The model wrote a tool call that can't be read (${word}).`, status: word };
}

function read({ status, headers, json }: FailedAnswer): Refusal {
  const botched = botchedBy(json);
  const body = Array.isArray(json) ? json[0] : json;
  const error = botched === null ? (objectAt(body, 'error') ?? {}) : botchedError(botched);
  const details = listAt(error, 'details');
  const told = readErrorBody(json);
  return {
    status: status < 300 ? (numberAt(error, 'code') ?? 500) : status,
    word: textAt(error, 'status') ?? '',
    message: (told?.message ?? '').slice(0, MAX_MESSAGE_CHARACTERS),
    reason: details.map((detail) => textAt(detail, 'reason')).find((reason) => reason !== null) ?? '',
    isForeign: !isObject(body),
    error,
    headers,
  };
}

function isOfTheKey({ reason, message }: Refusal): boolean {
  return KEY_REASON.test(reason) || KEY_MESSAGE.test(message);
}

function capacity({ headers, message }: Refusal): Outcome {
  return { kind: 'capacity', retryAfterMs: readRetryHint(headers, message) };
}

const MAX_MESSAGE_CHARACTERS = 4_096;
