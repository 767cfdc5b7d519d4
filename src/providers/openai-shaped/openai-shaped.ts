import type { Provider } from '../provider.ts';
import type { ProviderCall, Wire, Wires } from '../wire.ts';
import { type ChargeRule, reservedBy, settledBy } from './charge-rules.ts';
import { classifyAnswer } from './classify.ts';
import { readErrorBody } from './error-body.ts';
import { type RateHeaderRow, readRateHeaders } from './rate-headers.ts';
import { readOpenAiUsage, type UsageQuirks } from './usage.ts';

/** All that sets one vendor of OpenAI's format apart from another. */
export interface VendorFacts
  extends Pick<Provider, 'type' | 'baseUrl' | 'offers' | 'limits' | 'ownModels' | 'streamUsage'> {
  readonly charge: ChargeRule;
  readonly rateHeaders: readonly RateHeaderRow[];
  readonly usage: UsageQuirks;
}

/** A provider that takes the client's body as it is. */
export function openAiShaped({ charge, rateHeaders, usage, ...facts }: VendorFacts): Provider {
  return {
    ...facts,
    wires: OPENAI_WIRES,
    reservedCharge: (size) => reservedBy(charge, size),
    settledCharge: (used, reserved) => settledBy(charge, used, reserved),
    readLimits: (headers) => readRateHeaders(headers, rateHeaders),
    readUsage: (json) => readOpenAiUsage(json, usage),
    classify: classifyAnswer,
    readError: readErrorBody,
  };
}

/** The client's body as it is, to this path behind the base URL. */
function posted(path: string): Wire {
  return {
    prepare: ({ basePath, apiKey, body }: ProviderCall) => ({
      path: `${basePath}${path}`,
      headers: apiKey === null ? {} : { authorization: `Bearer ${apiKey}` },
      body,
    }),
  };
}

const OPENAI_WIRES: Wires = { chat: posted('/chat/completions') };
