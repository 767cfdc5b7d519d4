import { azureOpenAi } from '../../../src/providers/azure/azure-openai.ts';
import { describeAdapter } from '../contract.ts';
import { openAiContract } from '../openai-shaped/openai-contract.ts';

describeAdapter(
  openAiContract(azureOpenAi, {
    path: '/openai/deployments/m/chat/completions?api-version=2024-10-21',
    headers: { 'api-key': 'sk-test' },
  }),
);
