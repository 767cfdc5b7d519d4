import type { Charge } from '../../charge.ts';
import type { Provider } from '../provider.ts';
import { keyHeader } from './address.ts';
import { chatWire } from './chat-wire.ts';
import { embeddingsWire } from './embeddings-wire.ts';
import { classify, readError } from './failure.ts';
import { readUsage } from './usage.ts';

/**
 * Google's Gemini over its own API. Its limits count requests a minute, input tokens a minute and requests a day, of a
 * project and not of a key (ai.google.dev/gemini-api/docs/rate-limits). No answer says what is left of them.
 */
export const gemini: Provider = {
  type: 'gemini',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
  // Several answers to one request are refused by some models, and by most for a stream.
  offers: ['tools', 'vision', 'json_schema', 'audio', 'files', 'logprobs'],
  limits: {
    // A minute is said to begin at :00, by one measurement only: it is booked so that any beginning is safe.
    algorithm: 'fixed-window',
    burst: 1,
    isGuess: false,
    hasHeaders: false,
    requestSliceMs: null,
    isChargedAtEnd: false,
    dayBegins: { minuteOfDay: 0, timeZone: 'America/Los_Angeles' },
  },
  ownModels: ['gemini-*', 'gemma-*', 'learnlm-*'],
  streamUsage: 'always',
  wires: { chat: chatWire, embeddings: embeddingsWire },
  probe: { path: (basePath) => `${basePath}/models?pageSize=1`, isCounted: false },
  credentials: keyHeader,
  reservedCharge: ({ inputTokens, outputCapTokens, predictedOutputTokens }) => {
    return charged(inputTokens, outputCapTokens ?? predictedOutputTokens);
  },
  settledCharge: (usage, reserved) => (usage === null ? reserved : charged(usage.inputTokens, usage.outputTokens)),
  readLimits: () => [],
  readUsage,
  classify,
  readError,
};

/** A limit on tokens counts the input alone; whether the cached part of it counts is not documented, so it does. */
function charged(inputTokens: number, outputTokens: number): Charge {
  return [1, inputTokens, inputTokens, outputTokens, 1];
}
