import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FailedAnswer, Outcome, Provider, Usage } from '../../src/providers/provider.ts';
import type { JsonObject, ProviderCall } from '../../src/providers/wire.ts';
import { SseDecoder } from '../../src/streaming/sse-decoder.ts';
import { readEvent } from '../../src/streaming/stream-facts.ts';
import { ANSWERS, type AnswerName, type Meaning, meaningOfStream, meaningOfWhole, USAGE } from './contract-answers.ts';
import { bytesOf, chatWire, drive, type NativeEvent, translateWhole } from './contract-drive.ts';
import { ODDITIES, REQUESTS, type RequestName } from './contract-requests.ts';

/** One answer in a vendor's format, in both of its forms. */
export interface NativeAnswer {
  readonly whole: JsonObject;
  readonly stream: readonly NativeEvent[];
  /** Where this vendor can't say what the suite expects. */
  readonly differs?: Partial<Meaning>;
}

/** A request that this vendor can't be asked, by the field that a client is told. */
interface RefusedRequest {
  readonly refuses: string;
}

/** A request of which the client is told that fields of it were left out. */
interface DroppingRequest {
  readonly sends: JsonObject;
  readonly drops: readonly string[];
}

/** All that one vendor's adapter is held to. */
export interface AdapterContract {
  readonly provider: Provider;
  readonly model: string;
  /** Where chats go, behind the base URL's path `/base`; streamed ones elsewhere at some vendors. */
  readonly path: string;
  readonly streamPath?: string;
  /** The headers of a call with the key `sk-test`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body that the vendor gets; null: the provider doesn't offer it, so no such request is ever brought to it. */
  readonly requests: Readonly<Record<RequestName, JsonObject | RefusedRequest | DroppingRequest | null>>;
  /** The body of `text` when it is streamed. */
  readonly streamedText: JsonObject;
  /** What of `ODDITIES` is told to have been left out. */
  readonly dropped: readonly string[];
  /** Null: the vendor has nothing of the kind. */
  readonly answers: Readonly<Record<AnswerName, NativeAnswer | null>>;
  /** What the answer `text` says was used, where it isn't all of `USAGE`. */
  readonly usage?: Partial<Usage>;
  /** Every word for why an answer ended, with the answer that it ends. */
  readonly stops: readonly (readonly [word: string, finishReason: string, answer: NativeAnswer])[];
  /** Events that mean nothing, which may come anywhere. */
  readonly noise: readonly NativeEvent[];
  /** An error in the place of an event, and what it comes to; null: errors come by status only. */
  readonly errorEvent: { readonly event: NativeEvent; readonly outcome: Outcome } | null;
  /** The vendor's refusals, one a kind of outcome at least; all of its rows are in `fixtures/refusals`. */
  readonly failures: readonly (FailedAnswer & { readonly outcome: Outcome })[];
}

/** What must hold for the adapter of every vendor. */
export function describeAdapter(contract: AdapterContract): void {
  describe(`the contract of ${contract.provider.type}`, () => {
    describe('a request', () => requestsAreMapped(contract));
    describe('a whole answer', () => wholeAnswersAreMapped(contract));
    describe('a stream', () => streamsAreMapped(contract));
    describe('a broken stream', () => brokenStreamsAreNoAnswers(contract));
    describe('a failure', () => failuresAreUnderstood(contract));
    describe('what nobody expects', () => nothingThrows(contract));
  });
}

function requestsAreMapped(contract: AdapterContract): void {
  const { provider, model, path, headers } = contract;

  it.each(entriesOf(contract.requests))('"%s" is asked in the vendor\'s way', (name, native) => {
    const body = { model, ...REQUESTS[name] };
    if (isRefused(native)) {
      expect(chatWire(provider).refuses?.(body, model)).toEqual({ param: native.refuses, message: expect.any(String) });
      return;
    }
    expect(chatWire(provider).refuses?.(body, model) ?? null).toBeNull();
    const { sends, drops } = isDropping(native) ? native : { sends: native, drops: [] };
    const call = chatWire(provider).prepare(callOf(contract, body));
    expect(JSON.parse(call.body.toString())).toEqual(sends);
    expect(call).toMatchObject({ path: `/base${path}`, headers });
    expect(call.dropped ?? []).toEqual(drops);
  });

  it('for a stream asks for one', () => {
    const call = chatWire(provider).prepare({ ...callOf(contract, streamed(contract)), isStreaming: true });
    expect(JSON.parse(call.body.toString())).toEqual(contract.streamedText);
    expect(call.path).toBe(`/base${contract.streamPath ?? path}`);
  });

  it('without a key has none in its head', () => {
    const call = chatWire(provider).prepare({ ...callOf(contract, REQUESTS.text), apiKey: null });
    expect(JSON.stringify(call.headers)).not.toContain('sk-test');
    expect(Object.values(call.headers)).not.toContain('Bearer null');
  });

  it('is told to lack what the vendor has no word for', () => {
    const { dropped = [] } = chatWire(provider).prepare(callOf(contract, { model, ...ODDITIES }));
    expect([...dropped].sort()).toEqual([...contract.dropped].sort());
  });
}

function wholeAnswersAreMapped({ provider, ...contract }: AdapterContract): void {
  it.each(entriesOf(contract.answers))('"%s" means the same as before', (name, { whole, differs }) => {
    expect(provider.readError(whole)).toBeNull();
    expect(meaningOfWhole(translateWhole(provider, whole))).toEqual({ ...ANSWERS[name], ...differs });
  });

  it.each(contract.stops)('that ends by "%s" has the finish reason "%s"', (_word, finishReason, { whole }) => {
    expect(meaningOfWhole(translateWhole(provider, whole)).finishReason).toBe(finishReason);
  });

  it('says what was used, to the client and to the books', () => {
    const whole = needed(contract.answers.text).whole;
    const usage = { ...USAGE, ...contract.usage };
    expect(provider.readUsage(whole, null)).toEqual(usage);
    expect(translateWhole(provider, whole)['usage']).toMatchObject(openAiUsage(usage));
  });
}

function streamsAreMapped({ provider, ...contract }: AdapterContract): void {
  const answers = entriesOf(contract.answers);

  it.each(answers)('of "%s" means the same as the whole answer', (name, { stream, differs }) => {
    const { text } = drive(provider, [bytesOf(stream)]);
    expect(meaningOfStream(text)).toEqual({ ...ANSWERS[name], ...differs });
  });

  it.each(answers)('of "%s" may be cut anywhere', (_name, { stream }) => {
    const bytes = bytesOf(stream);
    const uncut = drive(provider, [bytes]);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
      if (drive(provider, pieces).text !== uncut.text) expect.fail(`cut at byte ${cut} it says something else`);
    }
    expect(
      drive(
        provider,
        Array.from(bytes, (byte) => Buffer.of(byte)),
      ),
    ).toEqual(uncut);
  });

  it.each(answers)('of "%s" is not disturbed by what means nothing', (_name, { stream }) => {
    const noisy = stream.flatMap((event) => [...contract.noise, event]);
    expect(shown(drive(provider, [bytesOf(noisy)]).text)).toEqual(shown(drive(provider, [bytesOf(stream)]).text));
  });

  it.each(contract.stops)('that ends by "%s" has the finish reason "%s"', (_word, finishReason, { stream }) => {
    expect(meaningOfStream(drive(provider, [bytesOf(stream)]).text).finishReason).toBe(finishReason);
  });

  it('says what was used, to the client and to the books', () => {
    const { text, usage } = drive(provider, [bytesOf(needed(contract.answers.text).stream)]);
    expect(usage).toEqual({ ...USAGE, ...contract.usage });
    const chunks = text.split('\n\n').filter((event) => event.startsWith('data: {'));
    const told = chunks.map((chunk) => (JSON.parse(chunk.slice(6)) as { usage?: unknown }).usage).filter(Boolean);
    expect(told.at(-1)).toMatchObject(openAiUsage({ ...USAGE, ...contract.usage }));
  });
}

function brokenStreamsAreNoAnswers({ provider, answers, errorEvent }: AdapterContract): void {
  it.each(entriesOf(answers))('of "%s" has no end before its finish reason', (_name, { stream }) => {
    for (let length = 0; length < stream.length; length += 1) {
      const { text } = drive(provider, [bytesOf(stream.slice(0, length))]);
      if (!/"finish_reason":"/.test(text)) expect(text).not.toContain('[DONE]');
    }
  });

  if (errorEvent === null) return;
  const { event, outcome } = errorEvent;

  it('that begins with an error says so before anything else', () => {
    const facts = factsOf(drive(provider, [bytesOf([event])]).text);
    expect(facts.map(({ kind }) => kind)).toEqual(['error']);
    expect(outcomeOf(provider, facts)).toEqual(outcome);
  });

  it('that ends with an error has no other end', () => {
    const { stream } = needed(answers.text);
    const { text } = drive(provider, [bytesOf([...stream.slice(0, 3), event])]);
    const facts = factsOf(text);
    expect(facts.at(-1)?.kind).toBe('error');
    expect(outcomeOf(provider, facts)).toEqual(outcome);
    expect(text).not.toContain('[DONE]');
  });
}

function failuresAreUnderstood({ provider, failures }: AdapterContract): void {
  it.each(failures.map((failure) => [failure.outcome.kind, failure] as const))(
    'that means "%s" is read from its words',
    (_kind, { outcome, ...answer }) => {
      expect(provider.classify(answer)).toEqual(outcome);
      expect(provider.readError(answer.json)?.message).toEqual(expect.stringMatching(/./));
    },
  );

  it('of every common kind is shown', () => {
    const kinds = failures.map(({ outcome }) => outcome.kind);
    expect(kinds).toEqual(expect.arrayContaining(['wait', 'disabled', 'context', 'client', 'failed']));
  });
}

function nothingThrows(contract: AdapterContract): void {
  const { provider, answers } = contract;
  const natives = entriesOf(answers).flatMap(([, { whole, stream }]) => [whole, ...stream.map(({ json }) => json)]);
  const words = natives.flatMap((json) => JSON.stringify(json).match(/"[a-z_]+"/gi) ?? []);
  const { json } = arbitraryJson([...new Set(words)].map((word) => word.slice(1, -1)));

  it('in an answer does not throw', () => {
    fc.assert(
      fc.property(fc.array(json, { maxLength: 6 }), fc.dictionary(fc.string(), json), (events, whole) => {
        drive(provider, [bytesOf(events.map((each) => ({ json: each })))]);
        translateWhole(provider, whole);
      }),
    );
  });

  it('in a request does not throw', () => {
    const message = fc.record({ role: fc.constantFrom('system', 'user', 'assistant', 'tool', 'x'), content: json });
    const fields = fc.dictionary(fc.constantFrom(...REQUEST_FIELDS), json);
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 4 }), fields, (messages, rest) => {
        const body = { ...rest, model: contract.model, messages };
        if ((chatWire(provider).refuses?.(body, contract.model) ?? null) !== null) return;
        const call = chatWire(provider).prepare(callOf(contract, body));
        expect(JSON.parse(call.body.toString())).toBeTypeOf('object');
      }),
    );
  });
}

const REQUEST_FIELDS = [...new Set(Object.values(REQUESTS).flatMap((request) => Object.keys(request)))];

function arbitraryJson(words: readonly string[]): { json: fc.Arbitrary<unknown> } {
  const word = fc.oneof(fc.constantFrom(...words, 'text', 'type', 'role', '__proto__'), fc.string());
  return fc.letrec<{ json: unknown }>((tie) => ({
    json: fc.oneof(
      { depthSize: 'small' },
      word,
      fc.constantFrom(null, true, 0, -1, 1.5),
      fc.array(tie('json'), { maxLength: 3 }),
      fc.dictionary(word, tie('json'), { maxKeys: 4 }),
    ),
  }));
}

function callOf({ model }: AdapterContract, body: JsonObject): ProviderCall {
  const bytes = Buffer.from(JSON.stringify({ model, ...body }));
  return { body: bytes, model, isStreaming: false, apiKey: 'sk-test', basePath: '/base', apiVersion: null };
}

function streamed({ provider }: AdapterContract): JsonObject {
  const asksForUsage = provider.streamUsage === 'ask' ? { stream_options: { include_usage: true } } : {};
  return { ...REQUESTS.text, stream: true, ...asksForUsage };
}

function factsOf(text: string): ReturnType<typeof readEvent>[] {
  return new SseDecoder().push(Buffer.from(text)).map(readEvent);
}

function outcomeOf(provider: Provider, facts: readonly ReturnType<typeof readEvent>[]): Outcome | null {
  const last = facts.at(-1);
  return last?.kind === 'error' ? provider.classify({ status: 200, headers: {}, json: last.json }) : null;
}

/** What a client sees of a stream: no comments. */
function shown(text: string): string[] {
  return text.split('\n\n').filter((event) => event.startsWith('data:'));
}

function openAiUsage(usage: Usage): JsonObject {
  return { prompt_tokens: usage.inputTokens, completion_tokens: usage.outputTokens };
}

function isRefused(native: JsonObject | RefusedRequest | DroppingRequest): native is RefusedRequest {
  return 'refuses' in native;
}

function isDropping(native: JsonObject | DroppingRequest): native is DroppingRequest {
  return 'drops' in native;
}

function needed(answer: NativeAnswer | null): NativeAnswer {
  if (answer === null) throw new Error('every vendor has plain text');
  return answer;
}

function entriesOf<K extends string, V>(record: Readonly<Record<K, V>>): [K, NonNullable<V>][] {
  return (Object.entries(record) as [K, V][]).filter((entry): entry is [K, NonNullable<V>] => entry[1] != null);
}
