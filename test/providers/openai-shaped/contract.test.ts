import { PROVIDER_TYPES } from '../../../src/providers/registry.ts';
import { describeAdapter } from '../contract.ts';
import { provider } from '../read-fixtures.ts';
import { openAiContract } from './openai-contract.ts';

/** These have a format of their own, or paths of their own, and a suite of their own. */
const OTHERS = ['azure-openai', 'anthropic', 'gemini', 'cohere', 'mistral', 'xai'];

for (const type of PROVIDER_TYPES.filter((each) => !OTHERS.includes(each))) {
  describeAdapter(openAiContract(provider(type)));
}
