import { overChat } from '../../src/providers/bridge/over-chat.ts';
import { CAPABILITIES, type Capability, type LimitReading, type Provider } from '../../src/providers/provider.ts';
import { providerOf } from '../../src/providers/registry.ts';
import type { FieldEditor, JsonObject, Operation, ProviderCall, Wire } from '../../src/providers/wire.ts';
import { messagesFacts } from '../../src/proxy/doors/messages/facts.ts';
import { needsFanOut } from '../../src/proxy/fan-out/needs-fan-out.ts';
import { chatFacts } from '../../src/proxy/request-body/chat-facts.ts';
import type { RequestField } from './request-fields.ts';

/** What the code knows of a vendor, in the words of docs/providers.md. It is asked what shared code asks, too. */

export function adapter(type: string): Provider {
  const provider = providerOf(type);
  if (provider === null) throw new Error(`there is no vendor ${type}`);
  return provider;
}

/** With messages over its chats where it has none of its own, as they are served. */
function wireOf(provider: Provider, operation: Operation): Wire | null {
  const { chat } = provider.wires;
  const own = provider.wires[operation];
  if (own || operation !== 'messages' || !chat) return own ?? null;
  return overChat(chat, {
    vendor: provider.type,
    readUsage: (json, known) => provider.readUsage(json, known),
    asksForUsage: false,
  });
}

export function callOf(model: string, body: JsonObject): ProviderCall {
  const bytes = Buffer.from(JSON.stringify({ model, ...body }));
  return { body: bytes, model, isStreaming: false, apiKey: 'a-key', basePath: '/v1', apiVersion: null };
}

const HELLO = { messages: [{ role: 'user', content: 'Hello' }], input: 'Hello', prompt: 'Hello', max_tokens: 9 };

/** How an endpoint is served: the client's bytes pass, or are mapped; by our own estimate; not at all. */
export function endpointWord(provider: Provider, operation: Operation): string {
  const wire = wireOf(provider, operation);
  if (wire === null) return operation === 'count_tokens' ? 'estimate' : '';
  const call = callOf('some-model', HELLO);
  return wire.prepare(call).body === call.body ? 'as is' : 'mapped';
}

/** Three sizes of which no two sums are alike. */
const SIZE = { inputTokens: 1_000, outputCapTokens: 400, predictedOutputTokens: 70 };
const USAGE = { inputTokens: 900, cachedInputTokens: 300, outputTokens: 25, reasoningTokens: 0 };

const ON_ARRIVAL: ReadonlyMap<number, string> = new Map([
  [1_400, 'input + cap'],
  [1_070, 'input + prediction'],
  [1_000, 'input'],
]);
const IN_THE_END: ReadonlyMap<number, string> = new Map([
  [925, 'use'],
  [625, 'use, but for cached input'],
  [900, 'input'],
  [1_400, 'the same'],
]);

/** The cells of a row of the table of limits, behind the type. */
export function limitWords(provider: Provider): string[] {
  const { limits, reservedCharge, settledCharge } = provider;
  const reserved = reservedCharge(SIZE);
  const held = ON_ARRIVAL.get(reserved[1]) ?? String(reserved);
  const settled = settledCharge(USAGE, reserved);
  return [
    limits.algorithm.replace('-', ' ') + (limits.isGuess ? ', a guess' : ''),
    limits.burst === 1 ? 'all' : `${limits.burst * 100} %`,
    limits.requestSliceMs === null ? '' : `${limits.requestSliceMs / 1_000} s`,
    limits.isChargedAtEnd ? `nothing; ${held} is held` : held,
    IN_THE_END.get(settled[1]) ?? String(settled),
    believedWords(provider),
  ];
}

/** How far the headers are believed; empty: none are read. */
function believedWords(provider: Provider): string {
  const names = headersRead(provider);
  if (names.length === 0) return '';
  const readings = provider.readLimits(Object.fromEntries(names.map((name) => [name, '60'])));
  if (readings.some(({ isAtMost }) => isAtMost)) return 'at most';
  return provider.limits.hasHeaders ? 'yes' : 'if any';
}

/** When limits of a day begin anew, such as `00:00 Europe/Paris`; null where nobody knows. */
export function dayWords({ limits: { dayBegins } }: Provider): string | null {
  if (dayBegins === undefined) return null;
  const [hours, minutes] = [Math.floor(dayBegins.minuteOfDay / 60), dayBegins.minuteOfDay % 60];
  return `${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')} ${dayBegins.timeZone}`;
}

/** Names of all headers that are asked for when limits are read, but `date`, which every answer has. */
export function headersRead(provider: Provider): string[] {
  const none = namesAsked(provider, () => undefined);
  const all = namesAsked(provider, () => '60');
  // What is asked for may depend on what is there.
  const known = [...new Set([...none, ...all])];
  const single = known.flatMap((name) => namesAsked(provider, (asked) => (asked === name ? '60' : undefined)));
  return [...new Set([...known, ...single])].filter((name) => name !== 'date').toSorted();
}

function namesAsked({ readLimits }: Provider, answered: (name: string) => string | undefined): string[] {
  const names: string[] = [];
  const get = (_target: object, name: string | symbol): string | undefined => {
    names.push(String(name));
    return answered(String(name));
  };
  readLimits(new Proxy({}, { get }));
  return names;
}

const UNITS: Readonly<Record<LimitReading['unit'], string>> = {
  requests: 'requests',
  tokens: 'tokens',
  input_tokens: 'input tokens',
  output_tokens: 'output tokens',
};
const WINDOWS: ReadonlyMap<number, string> = new Map([
  [1_000, 'a second'],
  [60_000, 'a minute'],
  [3_600_000, 'an hour'],
  [86_400_000, 'a day'],
]);

/** What a head with these headers alone tells of, such as `requests a minute`. */
export function readingWords({ readLimits }: Provider, names: readonly string[]): string {
  const readings = readLimits(Object.fromEntries(names.map((name) => [name, '60'])));
  return readings.map(({ unit, windowMs }) => `${UNITS[unit]} ${WINDOWS.get(windowMs)}`).join(', ');
}

/**
 * What becomes of a field on its way to a vendor: `yes`, `one by one`, `dropped` and told so, `left out` without a word, or
 * `400`; a word in brackets is what `supports` would have to name to let it pass.
 */
export function treatment(type: string, model: string, { operation, body, without }: RequestField): string {
  const provider = adapter(type);
  const wire = wireOf(provider, operation);
  if (wire === null) throw new Error(`${type} does not serve ${operation}`);
  const facts = operation === 'messages' ? messagesFacts : chatFacts;
  const isRefused = Boolean(wire.refuses?.({ model, ...body }, model));
  const { n, needs } = facts({ model, ...body });
  const target = { wires: provider.wires, supports: new Set(provider.offers) };
  const isFannedOut = needsFanOut({ targets: [target] }, operation, { n, needs });
  const missing = missingOf(provider, needs).filter((need) => !(isFannedOut && need === 'n'));
  if (isRefused) return '400';
  if (missing.length > 0) return `400 (${missing.join(', ')})`;
  if (isFannedOut) return 'one by one';
  const [asked, before] = [body, without].map((each) => wire.prepare(callOf(model, each)));
  if ((asked?.dropped ?? []).length > (before?.dropped ?? []).length) return 'dropped';
  return asked && before && asked.body.equals(before.body) ? 'left out' : 'yes';
}

/** Capabilities that a target of this type has to be told to have. */
export function missingOf({ offers }: Provider, needs: readonly Capability[] = CAPABILITIES): Capability[] {
  return needs.filter((need) => !offers.includes(need));
}

/** What a vendor is sent of a chat with these fields. */
export function sentFields({ wires: { chat } }: Provider, model: string, fields: JsonObject): unknown {
  const body = new Map<string, unknown>(Object.entries({ messages: HELLO.messages, ...fields }));
  chat?.adapt?.(editorOf(body), model);
  return JSON.parse(String(chat?.prepare(callOf(model, Object.fromEntries(body))).body));
}

/** By which name the cap on the output goes to a vendor that takes chats as they are. */
export function capWords(provider: Provider): string {
  const capsOf = (name: string): string => {
    const sent = Object.keys(sentFields(provider, 'some-model', { [name]: 9 }) as JsonObject);
    return sent.filter((field) => field.startsWith('max_')).join();
  };
  const names = ['max_tokens', 'max_completion_tokens'].map(capsOf);
  return names[0] === names[1] ? `\`${names[0]}\`` : 'as sent';
}

function editorOf(fields: Map<string, unknown>): FieldEditor {
  return {
    valueOf: (name) => fields.get(name),
    set: (name, value) => fields.set(name, value),
    drop: (name) => fields.delete(name),
  };
}
