import { openAiShaped } from '../openai-shaped/openai-shaped.ts';
import type { Provider } from '../provider.ts';
import { classifyAzure } from './classify.ts';
import { AZURE_HEADERS } from './rate-headers.ts';
import { AZURE_WIRES, keyHeader, modelsPath } from './wires.ts';

/**
 * OpenAI's models as deployments of Microsoft's. What the configuration calls the upstream model is a deployment; a limit
 * belongs to it (learn.microsoft.com, "Manage Azure OpenAI quota").
 */
export const azureOpenAi: Provider = {
  ...openAiShaped({
    type: 'azure-openai',
    baseUrl: null,
    offers: ['tools', 'vision', 'json_schema', 'audio', 'files', 'logprobs', 'n'],
    operations: [],
    limits: {
      algorithm: 'fixed-window',
      burst: 1,
      isGuess: false,
      hasHeaders: true,
      // Requests are counted over 1 or 10 seconds, as if they were spread evenly; the longer is what is documented first.
      requestSliceMs: 10_000,
      isChargedAtEnd: false,
    },
    ownModels: [],
    streamUsage: 'ask',
    probe: { path: modelsPath, isCounted: false },
    // Prompt and cap are counted when a request arrives, and what it did not use never comes back.
    charge: { reserves: 'cap', settlesTo: 'reservation', isCachedFree: false },
    rateHeaders: AZURE_HEADERS,
    usage: { isReasoningApart: false },
  }),
  wires: AZURE_WIRES,
  credentials: keyHeader,
  classify: classifyAzure,
};
