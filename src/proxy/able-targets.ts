import { ProxyError } from '../errors.ts';
import type { Capability } from '../providers/provider.ts';
import type { JsonObject, Operation, Unsupported } from '../providers/wire.ts';
import type { RequestFacts } from './request-body.ts';
import type { ServedModel, ServedTarget } from './served-model.ts';

/** What one target will be asked. */
export interface Asked {
  readonly facts: RequestFacts;
  readonly body: JsonObject;
}

/**
 * Which targets of the model can do what they will be asked for, by target; `asked` is by target too.
 * @throws ProxyError `unsupported_value`: none of them
 */
export function ableTargets(model: ServedModel, operation: Operation, asked: readonly Asked[]): readonly boolean[] {
  const all = model.targets.map((target, index) => ({ target, ...(asked[index] as Asked) }));
  const speaking = all.filter(({ target }) => target.wires[operation]);
  if (speaking.length === 0) throw noWire(model, operation);
  const equipped = speaking.filter(({ target, facts }) => missing(target, facts).length === 0);
  if (equipped.length === 0) throw notEquipped(model, speaking);
  const refusals = equipped.map(({ target, body }) => target.wires[operation]?.refuses?.(body, target.model) ?? null);
  const able = new Set(equipped.filter((_one, index) => refusals[index] === null).map(({ target }) => target));
  if (able.size === 0) throw refused(model, refusals[0] as Unsupported);
  return model.targets.map((target) => able.has(target));
}

function missing({ supports }: ServedTarget, { needs }: RequestFacts): readonly Capability[] {
  return needs.filter((need) => !supports.has(need));
}

function noWire({ name }: ServedModel, operation: Operation): ProxyError {
  return new ProxyError(
    'unsupported_value',
    `Nothing behind the model '${name}' offers ${OFFERS[operation]}. Choose another model, or ask for a chat.`,
    { param: 'model' },
  );
}

interface Speaking {
  readonly target: ServedTarget;
  readonly facts: RequestFacts;
  readonly body: JsonObject;
}

function notEquipped({ name }: ServedModel, speaking: readonly Speaking[]): ProxyError {
  const needs = [...new Set(speaking.flatMap(({ facts }) => facts.needs))];
  const nobodyHas = needs.filter((need) => !speaking.some(({ target }) => target.supports.has(need)));
  const lacking = nobodyHas.length > 0 ? nobodyHas : needs;
  const param = fieldOf(lacking[0], speaking[0]?.body);
  return new ProxyError(
    'unsupported_value',
    `Nothing behind the model '${name}' supports what this request asks for: ${lacking.join(', ')}. Leave it out or choose another model.`,
    param === undefined ? {} : { param },
  );
}

/** The field that asks for it. */
function fieldOf(need: Capability | undefined, body: JsonObject = {}): string | undefined {
  return need && ASKED_BY[need].find((field) => (body[field] ?? null) !== null);
}

/** By which fields something is asked for at the different doors; the first that is there counts. */
const ASKED_BY: Readonly<Record<Capability, readonly string[]>> = {
  tools: ['tools', 'functions'],
  vision: ['messages', 'input'],
  json_schema: ['response_format', 'text', 'output_config'],
  audio: ['audio', 'messages', 'input'],
  files: ['messages', 'input'],
  logprobs: ['logprobs', 'top_logprobs', 'include'],
  n: ['n'],
};

function refused({ name }: ServedModel, { param, message }: Unsupported): ProxyError {
  return new ProxyError('unsupported_value', `Nothing behind the model '${name}' can do this: ${message}`, { param });
}

const OFFERS: Readonly<Record<Operation, string>> = {
  chat: 'chats',
  completions: 'completions of plain text',
  embeddings: 'embeddings',
  responses: 'the Responses API',
  messages: 'messages',
  count_tokens: 'counting tokens',
};
