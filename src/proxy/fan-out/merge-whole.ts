import { isObject, type JsonObject, listOf } from '../request-body/fields.ts';
import { addUsage } from './usage-sum.ts';

/** Several answers of one choice each as one answer: the first one's head, all choices in order, all that was used. */
export function mergeWhole(answers: readonly JsonObject[]): JsonObject {
  const choices = answers.flatMap(({ choices: each }) => listOf(each).filter(isObject));
  const usages = answers.map(({ usage }) => usage).filter(isObject);
  return {
    ...answers[0],
    choices: choices.map((choice, index) => ({ ...choice, index })),
    ...(usages.length > 0 ? { usage: usages.reduce(addUsage) } : {}),
  };
}
