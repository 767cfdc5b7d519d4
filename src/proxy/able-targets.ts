import { ProxyError } from '../errors.ts';
import type { Capability } from '../providers/provider.ts';
import type { JsonObject, Operation, Unsupported } from '../providers/wire.ts';
import type { RequestFacts } from './request-body.ts';
import type { ServedModel, ServedTarget } from './served-model.ts';

interface Asked {
  readonly model: ServedModel;
  readonly facts: RequestFacts;
  readonly operation: Operation;
}

/**
 * Which targets of the model can do what a request asks for, by target.
 * @throws ProxyError `unsupported_value`: none of them
 */
export function ableTargets({ model, facts, operation }: Asked, body: JsonObject): readonly boolean[] {
  const speaking = model.targets.filter(({ wires }) => wires[operation]);
  if (speaking.length === 0) throw noWire(model, operation);
  const equipped = speaking.filter((target) => missing(target, facts).length === 0);
  if (equipped.length === 0) throw notEquipped(model, speaking, facts);
  const refusals = equipped.map((target) => target.wires[operation]?.refuses?.(body, target.model) ?? null);
  const able = new Set(equipped.filter((_target, index) => refusals[index] === null));
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

function notEquipped({ name }: ServedModel, targets: readonly ServedTarget[], facts: RequestFacts): ProxyError {
  const nobodyHas = facts.needs.filter((need) => !targets.some(({ supports }) => supports.has(need)));
  const what = (nobodyHas.length > 0 ? nobodyHas : facts.needs).join(', ');
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
