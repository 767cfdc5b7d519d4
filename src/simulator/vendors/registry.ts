import type { VendorApi } from '../api/vendor-api.ts';
import type { VendorName } from '../options.ts';
import { openAiApi } from './openai/openai-api.ts';

const APIS: Readonly<Record<VendorName, VendorApi>> = {
  openai: openAiApi,
};

export function vendorApi(name: VendorName): VendorApi {
  return APIS[name];
}
