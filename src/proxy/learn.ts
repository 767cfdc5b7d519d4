import type { Usage } from '../providers/provider.ts';
import type { RequestServices } from './request-services.ts';
import type { ServedTarget } from './served-model.ts';
import type { TargetSize } from './size-request.ts';

interface ServedAnswer {
  readonly target: ServedTarget;
  readonly size: TargetSize;
  readonly usage: Usage;
  /** The configured names that outputs are predicted by. */
  readonly model: string;
  readonly client: string;
  readonly outputCapTokens: number | null;
}

/** A whole answer teaches how this upstream counts, and how long this client's answers are. */
export function learnFrom(
  { calibration, outputs }: Pick<RequestServices, 'calibration' | 'outputs'>,
  { target, size, usage, model, client, outputCapTokens }: ServedAnswer,
): void {
  const { providerName: provider, model: upstreamModel } = target;
  const { estimatedTokens, isWhole } = size;
  const observed = { provider, model: upstreamModel, estimatedTokens, realTokens: usage.inputTokens };
  if (isWhole) calibration.observe(observed);
  outputs.observe({ model, client, capTokens: outputCapTokens, outputTokens: usage.outputTokens });
}
