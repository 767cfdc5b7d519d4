import type { Operation } from '../../providers/wire.ts';
import type { RequestFacts } from '../request-body.ts';
import type { ServedTarget } from '../served-model.ts';

/** Whether several choices have to be asked for one by one: none of the model's targets can do all of it in one request. */
export function needsFanOut(
  { targets }: { readonly targets: readonly Pick<ServedTarget, 'wires' | 'supports'>[] },
  operation: Operation,
  { n, needs }: Pick<RequestFacts, 'n' | 'needs'>,
): boolean {
  if (n < 2 || operation !== 'chat') return false;
  return !targets.some(({ wires, supports }) => wires[operation] && needs.every((need) => supports.has(need)));
}
