import type { Provider } from '../provider.ts';
import type { Operation, ProviderCall, Wire, Wires } from '../wire.ts';
import { type ChargeRule, reservedBy, settledBy } from './charge-rules.ts';
import { classifyAnswer } from './classify.ts';
import { readErrorBody } from './error-body.ts';
import { type RateHeaderRow, readRateHeaders } from './rate-headers.ts';
import { type Faults, RepairingTranslator } from './repair.ts';
import { readOpenAiUsage, type UsageQuirks } from './usage.ts';

/** The operations whose formats are OpenAI's. */
export type OpenAiOperation = Exclude<Operation, 'messages' | 'count_tokens'>;

/** All that sets one vendor of OpenAI's format apart from another. */
export interface VendorFacts
  extends Pick<Provider, 'type' | 'baseUrl' | 'offers' | 'limits' | 'ownModels' | 'streamUsage' | 'probe'> {
  /** The endpoints that it has. */
  readonly operations: readonly OpenAiOperation[];
  readonly charge: ChargeRule;
  readonly rateHeaders: readonly RateHeaderRow[];
  readonly usage: UsageQuirks;
  /** What chats have to be asked for otherwise. */
  readonly adapt?: Wire['adapt'];
  /** What is wrong with its chats. */
  readonly faults?: Faults;
}

/** A provider that takes the client's body as it is. */
export function openAiShaped({
  operations,
  charge,
  rateHeaders,
  usage,
  adapt,
  faults,
  ...facts
}: VendorFacts): Provider {
  const wires = Object.fromEntries(
    operations.map((operation) => [operation, posted(PATHS[operation])]),
  ) satisfies Wires;
  const chat: Partial<Wire> = {
    ...(adapt ? { adapt } : {}),
    ...(faults ? { translator: () => new RepairingTranslator(faults) } : {}),
  };
  return {
    ...facts,
    wires: wires['chat'] ? { ...wires, chat: { ...wires['chat'], ...chat } } : wires,
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

/** Behind the base URL. */
export const PATHS: Readonly<Record<OpenAiOperation, string>> = {
  chat: '/chat/completions',
  completions: '/completions',
  embeddings: '/embeddings',
  responses: '/responses',
};
