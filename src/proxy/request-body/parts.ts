import type { Capability } from '../../providers/provider.ts';
import { isObject, listOf } from './fields.ts';

const CAPABILITY_OF_PART: ReadonlyMap<unknown, Capability> = new Map<unknown, Capability>([
  ['image_url', 'vision'],
  ['input_image', 'vision'],
  ['input_audio', 'audio'],
  ['file', 'files'],
  ['input_file', 'files'],
]);

/** What the parts of one message need of a target, by OpenAI's names for parts; a text needs nothing. */
export function needsOfParts(content: unknown): readonly Capability[] {
  return listOf(content).flatMap((part) => {
    const capability = isObject(part) ? CAPABILITY_OF_PART.get(part['type']) : undefined;
    return capability === undefined ? [] : [capability];
  });
}
