import { PROVIDER_TYPES } from '../../../src/providers/registry.ts';
import { type AdapterContract, describeAdapter } from '../contract.ts';
import { provider } from '../read-fixtures.ts';
import { openAiContract, said } from './openai-contract.ts';

/** These have a format of their own, or paths of their own, and a suite of their own. */
const OTHERS = ['azure-openai', 'anthropic', 'gemini', 'cohere', 'mistral'];

const CHANGES: Readonly<Record<string, (contract: AdapterContract) => Partial<AdapterContract>>> = {
  // Its output leaves the reasoning out, which both the client and the books get added.
  xai: ({ answers }) => ({ answers: { ...answers, text: said({ content: 'Hello, wörld 👋' }, 'stop', 15) } }),
  together: () => ({ stops: [['eos', 'stop', said({ content: 'Hi' }, 'eos')]] }),
};

for (const type of PROVIDER_TYPES.filter((each) => !OTHERS.includes(each))) {
  const contract = openAiContract(provider(type));
  describeAdapter({ ...contract, ...CHANGES[type]?.(contract) });
}
