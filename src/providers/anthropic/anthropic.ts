import { type ChargeRule, reservedBy, settledBy } from '../openai-shaped/charge-rules.ts';
import type { Provider } from '../provider.ts';
import type { ProviderCall, Wire } from '../wire.ts';
import { MessagesTranslator } from './answer.ts';
import { classifyMessages, readMessagesError } from './classify.ts';
import { MESSAGES_LIMITS, readMessagesLimits } from './limits.ts';
import { messagesRequest, refusesChat } from './request.ts';
import { readMessagesUsage } from './usage.ts';

/**
 * Input is taken when a request arrives, output as it is written; `max_tokens` counts for nothing, so we hold the output that
 * is likely. Input from the cache is free but for a few old models (platform.claude.com/docs/en/api/rate-limits).
 */
const CHARGE: ChargeRule = { reserves: 'prediction', settlesTo: 'usage', isCachedFree: true };

const VERSION = '2023-06-01';

/** Tokens of a signed-in user in place of a key. */
const OAUTH_TOKEN = /^sk-ant-oat/;

/** What a client of this API says of the form of its bodies. */
const CLIENT_HEADERS = ['anthropic-version', 'anthropic-beta'];

/** In OpenAI's format; every other operation is this vendor's own and passes as it is. */
const chat: Wire = {
  prepare: (call) => {
    const { body, dropped } = messagesRequest(call);
    return { ...asked(call, '/messages'), body: Buffer.from(JSON.stringify(body)), dropped };
  },
  refuses: refusesChat,
  translator: (context) => new MessagesTranslator(context),
};

const COUNT_TOKENS: Wire = { ...asItIs('/messages/count_tokens'), isLimitedApart: true };

export const anthropic: Provider = {
  type: 'anthropic',
  baseUrl: 'https://api.anthropic.com/v1',
  offers: ['tools', 'vision', 'json_schema', 'files'],
  limits: MESSAGES_LIMITS,
  ownModels: ['claude-*'],
  streamUsage: 'always',
  wires: { chat, messages: asItIs('/messages'), count_tokens: COUNT_TOKENS },
  probe: { path: (basePath) => `${basePath}/models?limit=1`, isCounted: false },
  credentials,
  reservedCharge: (size) => reservedBy(CHARGE, size),
  settledCharge: (usage, reserved) => settledBy(CHARGE, usage, reserved),
  readLimits: readMessagesLimits,
  readUsage: readMessagesUsage,
  classify: classifyMessages,
  readError: readMessagesError,
};

function asItIs(path: string): Wire {
  return { clientHeaders: CLIENT_HEADERS, prepare: (call) => ({ ...asked(call, path), body: call.body }) };
}

/** Addresses are given with `/v1`, as OpenAI's are, and without, as this vendor's own clients have them. */
function asked({ basePath, apiKey, apiVersion }: ProviderCall, path: string) {
  const base = basePath.endsWith('/v1') ? basePath : `${basePath}/v1`;
  return {
    path: `${base}${path}`,
    headers: credentials(apiKey, apiVersion),
  };
}

function credentials(apiKey: string | null, apiVersion: string | null): Readonly<Record<string, string>> {
  const version = { 'anthropic-version': apiVersion ?? VERSION };
  if (apiKey === null) return version;
  const isOauth = OAUTH_TOKEN.test(apiKey);
  return { ...version, ...(isOauth ? { authorization: `Bearer ${apiKey}` } : { 'x-api-key': apiKey }) };
}
