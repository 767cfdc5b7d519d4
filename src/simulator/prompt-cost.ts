import type { ModelRequest } from './api/model-request.ts';
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
  const { cache } = request;
  const length = cache === null ? 0 : cache.count(vendor.count);
  if (cache === null || length < LEAST_CACHED_TOKENS) return { input, cached: 0, cacheWritten: 0, remember: () => {} };
  const id = cacheId(organization, request.model, cache.text());
  const isKnown = vendor.promptCache.has(id, vendor.nowMs());
  const tokens = Math.min(input, vendor.inVendorTokens(length));
  return {
    input,
    cached: isKnown ? tokens : 0,
    cacheWritten: !isKnown && cache.isMarked ? tokens : 0,
    remember: () => vendor.promptCache.put(id, vendor.nowMs()),
  };
}
