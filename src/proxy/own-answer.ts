import type { JsonObject } from '../providers/wire.ts';
import type { Door } from './doors/door.ts';
import type { RequestBody } from './request-body.ts';
import type { RequestServices } from './request-services.ts';
import type { ServedModel, ServedTarget } from './served-model.ts';

interface Asked {
  readonly body: RequestBody;
  readonly model: ServedModel;
}

type EstimateServices = Pick<RequestServices, 'tokens' | 'calibration'>;

/**
 * The answer to what can be answered from an estimate, at once and without a key, where none of the model's vendors does
 * it itself; null: it has to be sent.
 */
export function ownAnswer(door: Door, { body, model }: Asked, services: EstimateServices): Promise<JsonObject> | null {
  const { fromEstimate, operation } = door;
  const [target] = model.targets;
  if (!(fromEstimate && target) || model.targets.some(({ wires }) => wires[operation])) return null;
  return inputTokens(fromEstimate.chatOf(body.takeParsed()), target, services).then(fromEstimate.answer);
}

async function inputTokens(chat: JsonObject, target: ServedTarget, services: EstimateServices): Promise<number> {
  const estimate = await services.tokens.estimate(chat, target.tokenizerModel);
  const { factor } = services.calibration.correction(target.providerName, target.model);
  return Math.ceil(estimate.inputTokens * factor);
}
