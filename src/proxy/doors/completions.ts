import type { Capability } from '../../providers/provider.ts';
import { errorEvent } from '../../streaming/relay.ts';
import { readEvent } from '../../streaming/stream-facts.ts';
import {
  BOOLEAN,
  CAP,
  CHOICES,
  type JsonObject,
  OBJECT,
  optional,
  readModel,
  readUser,
} from '../request-body/fields.ts';
import type { RequestFacts } from '../request-body.ts';
import type { Door, Measured } from './door.ts';
import { measureInputs, readTokenInputs } from './token-inputs.ts';

const NAMES: ReadonlySet<string> = new Set([
  'model',
  'prompt',
  'suffix',
  'max_tokens',
  'n',
  'best_of',
  'logprobs',
  'stream',
  'stream_options',
  'user',
]);

/** What upstreams go on from when they are given nothing. */
const START = '<|endoftext|>';

/** Text in, text out, as before there were chats. */
export const completionsDoor: Door = {
  operation: 'completions',
  body: { names: NAMES, facts },
  generates: true,
  input: 'prompt',
  measure,
  grammar: readEvent,
  errorEvent,
};

function facts(body: JsonObject): RequestFacts {
  const isStreaming = optional(body, 'stream', BOOLEAN) ?? false;
  const n = optional(body, 'n', CHOICES) ?? 1;
  const cap = optional(body, 'max_tokens', CAP);
  // Each prompt gets its own answers, and where the best are picked all candidates are paid for.
  const answers = inputs(body).count * Math.max(n, optional(body, 'best_of', CHOICES) ?? 1);
  const needs: readonly Capability[] = [...(n > 1 ? (['n'] as const) : []), ...logprobs(body)];
  return {
    model: readModel(body['model']),
    isStreaming,
    wantsUsage: isStreaming && optional(body, 'stream_options', OBJECT)?.['include_usage'] === true,
    outputCapTokens: cap === null ? null : cap * answers,
    n: answers,
    needs,
    user: readUser(body),
  };
}

function measure(body: JsonObject): Measured {
  const { texts, ...known } = inputs(body);
  const { suffix } = body;
  return measureInputs({ ...known, texts: typeof suffix === 'string' ? [...texts, suffix] : texts });
}

/** The prompt may be left out. */
function inputs(body: JsonObject) {
  return readTokenInputs({ prompt: body['prompt'] ?? START }, 'prompt');
}

/** A number here: of the chosen token and so many others. */
function logprobs({ logprobs: asked }: JsonObject): readonly Capability[] {
  return typeof asked === 'number' || asked === true ? ['logprobs'] : [];
}
