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
}

function notEquipped({ name }: ServedModel, speaking: readonly Speaking[]): ProxyError {
  const needs = [...new Set(speaking.flatMap(({ facts }) => facts.needs))];
  const nobodyHas = needs.filter((need) => !speaking.some(({ target }) => target.supports.has(need)));
  const what = (nobodyHas.length > 0 ? nobodyHas : needs).join(', ');
  return new ProxyError(
    'unsupported_value',
    `Nothing behind the model '${name}' supports what this request asks for: ${what}. Leave it out or choose another model.`,
  );
}

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
