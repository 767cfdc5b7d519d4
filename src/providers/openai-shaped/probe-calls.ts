import type { ProbeCall } from '../provider.ts';

/** The list of models at the usual place, which nearly every vendor has and gives away. */
export const LISTS_MODELS: ProbeCall = { path: (basePath) => `${basePath}/models`, isCounted: false };

/** The same where limits are said to hold for all endpoints, or where nobody knows. */
export const LISTS_MODELS_AT_A_COST: ProbeCall = { ...LISTS_MODELS, isCounted: true };
