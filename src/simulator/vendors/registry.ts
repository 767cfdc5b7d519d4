import type { VendorApi } from '../api/vendor-api.ts';
import type { VendorName } from '../options.ts';
import { anthropicApi } from './anthropic/anthropic-api.ts';
import { azureApi } from './azure/azure-api.ts';
import { cohereApi } from './cohere/cohere-api.ts';
import { geminiApi } from './gemini/gemini-api.ts';
import { groqApi } from './groq/groq-api.ts';
import { mistralApi } from './mistral/mistral-api.ts';
import { openAiApi } from './openai/openai-api.ts';

const APIS: Readonly<Record<VendorName, VendorApi>> = {
  openai: openAiApi,
  anthropic: anthropicApi,
  gemini: geminiApi,
  cohere: cohereApi,
  mistral: mistralApi,
  groq: groqApi,
  azure: azureApi,
};

export function vendorApi(name: VendorName): VendorApi {
  return APIS[name];
}
