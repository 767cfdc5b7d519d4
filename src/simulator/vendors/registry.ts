import type { VendorApi } from '../api/vendor-api.ts';
import type { VendorName } from '../options.ts';
import { anthropicApi } from './anthropic/anthropic-api.ts';
import { geminiApi } from './gemini/gemini-api.ts';
import { openAiApi } from './openai/openai-api.ts';

const APIS: Readonly<Record<VendorName, VendorApi>> = {
  openai: openAiApi,
  anthropic: anthropicApi,
  gemini: geminiApi,
};

export function vendorApi(name: VendorName): VendorApi {
  return APIS[name];
}
