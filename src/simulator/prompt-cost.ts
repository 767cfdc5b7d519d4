import type { Beginning, ModelRequest } from './api/model-request.ts';
import { cacheId } from './prompt-cache.ts';
import type { Vendor } from './vendor.ts';

/** What a prompt costs, in the vendor's tokens. */
export interface PromptSize {
  readonly input: number;
  /** Of the input: what the vendor remembers, and what it is asked to remember. */
  readonly cached: number;
  readonly cacheWritten: number;
  /** The vendor has taken the prompt in. */
  remember(): void;
}

/** Shorter beginnings of prompts are not remembered, in o200k tokens. */
const LEAST_CACHED_TOKENS = 1024;

export function sizeOf(vendor: Vendor, request: ModelRequest, organization: string): PromptSize {
  const input = vendor.inVendorTokens(request.countPrompt(vendor.count));
  const { known = [], kept = [], isMarked = false } = request.cache ?? {};
  const idOf = ({ text }: Beginning) => cacheId(organization, request.model, text());
  const tokensOf = (each: Beginning | undefined) => {
    const length = each?.count(vendor.count) ?? 0;
    return length < LEAST_CACHED_TOKENS ? 0 : Math.min(input, vendor.inVendorTokens(length));
  };
  const cached = tokensOf(known.find((each) => vendor.promptCache.has(idOf(each), vendor.nowMs())));
  return {
    input,
    cached,
    cacheWritten: isMarked ? Math.max(0, tokensOf(known[0]) - cached) : 0,
    remember: () => {
      for (const each of kept) if (tokensOf(each) > 0) vendor.promptCache.put(idOf(each), vendor.nowMs());
    },
  };
}
