import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listAt } from '../../src/providers/mapping/json.ts';
import type { JsonObject } from '../../src/providers/wire.ts';
import type { FaultKind } from '../../src/simulator/faults.ts';
import type { VendorName } from '../../src/simulator/options.ts';
import { type Answer, errorOf, type SimulatorAt, type Sluice, startSimulator, startSluice } from '../system/world.ts';
import { meaningOfStream, meaningOfWhole } from './contract-answers.ts';
import { REQUESTS, type RequestName } from './contract-requests.ts';

/** A simulated vendor, which takes no more than the real one does. */
export interface SimulatedVendor {
  readonly vendor: VendorName;
  /** The provider's, in the configuration. */
  readonly type: string;
  /** Behind the simulator's address. */
  readonly basePath: string;
  readonly model: string;
  /** Requests that are answered 400 before they get there. */
  readonly refused: readonly RequestName[];
}

const KEY = 'sk-sim-contract';

/** Every request of the contract through the whole of Sluice, to a vendor who counts every mistake. */
export function describeSimulated(options: SimulatedVendor): void {
  const { vendor, model, refused } = options;
  const asked = (Object.keys(REQUESTS) as RequestName[]).filter((name) => !refused.includes(name));

  describe(`${model} behind Sluice, simulated`, () => {
    let simulator: SimulatorAt;
    let sluice: Sluice;

    beforeAll(async () => {
      simulator = await startSimulator({ vendor, models: [model], organizations: [{ keys: [KEY] }] });
      sluice = await startSluice(configOf(options, simulator.url, [KEY]));
    });

    afterAll(async () => {
      await sluice[Symbol.asyncDispose]();
      await simulator[Symbol.asyncDispose]();
    });

    it.each(asked)('answers "%s" as OpenAI would, whole', async (name) => {
      const answer = await sluice.chat({ model, ...REQUESTS[name] });
      expect(answer.status, answer.text).toBe(200);
      expect(meaningOfWhole(answer.json as JsonObject).finishReason).toMatch(/^(?:stop|length|tool_calls)$/);
      expect(answer.json).toMatchObject({ usage: { prompt_tokens: expect.any(Number) } });
    });

    it.each(asked)('answers "%s" as OpenAI would, streamed', async (name) => {
      const { status, text } = await sluice.chat({ model, ...REQUESTS[name], stream: true });
      expect(status, text).toBe(200);
      expect(meaningOfStream(text).finishReason).toMatch(/^(?:stop|length|tool_calls)$/);
      expect(text).not.toContain('"usage":{');
    });

    it.each(refused)('is not asked "%s"', async (name) => {
      const answer = await sluice.chat({ model, ...REQUESTS[name] });
      expect(answer.status).toBe(400);
      expect(errorOf(answer).code).toBe('unsupported_value');
    });

    it('goes on after its calls, which come back as it gave them', async () => {
      const request: JsonObject = REQUESTS.toolNamed;
      const first = await sluice.chat({ model, ...request });
      const [choice] = (first.json as { choices: { message: { tool_calls: { id: string }[] } }[] }).choices;
      const results = choice?.message.tool_calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'Rain' }));
      const messages = [...listAt(request, 'messages'), choice?.message, ...(results ?? [])];
      const second = await sluice.chat({ model, messages, tools: request['tools'], max_tokens: 100 });
      expect(second.status, second.text).toBe(200);
      expect(results).not.toEqual([]);
    });
  });
}

/** What the client need not see, as long as nothing has been said yet. */
const CURED: readonly FaultKind[] = [
  ...(['401', '500', '503', 'html_502', 'quota_429', 'spend_429', 'bare_429', 'refuse', 'garbage'] as const),
  ...(['reset_before_body', 'role_then_reset', 'error_in_200', 'stream_error_first_event'] as const),
  'json_instead_of_stream',
];
const TOLD: readonly FaultKind[] = ['stream_error_late', 'reset_within_body'];
const CASES = [
  ...CURED.flatMap((kind) => [[kind, false] as const, [kind, true] as const]),
  ['cut_json', false] as const,
];

/** Whatever goes wrong with the first key, in the vendor's own words, the second makes up for, or the client is told. */
export function describeFaults(options: SimulatedVendor): void {
  const { vendor, model } = options;
  const ask = async (kind: FaultKind, isStreaming: boolean): Promise<Answer> => {
    const faults = [{ kind, nth: [1] }];
    await using simulator = await startSimulator({ vendor, models: [model], organizations: [{ keys: KEYS }], faults });
    await using sluice = await startSluice(configOf(options, simulator.url, KEYS));
    return await sluice.chat({ model, ...REQUESTS.text, ...(isStreaming ? { stream: true } : {}) });
  };

  describe(`${model} behind Sluice, simulated with faults`, () => {
    it.each(CASES)('answers in spite of %s, streamed: %s', async (kind, isStreaming) => {
      const { status, text, json } = await ask(kind, isStreaming);
      expect(status, text).toBe(200);
      const meaning = isStreaming ? meaningOfStream(text) : meaningOfWhole(json as JsonObject);
      expect(meaning.content).toMatch(/./);
    });

    it.each(TOLD)('tells a client of %s, and does not begin anew', async (kind) => {
      const { status, text } = await ask(kind, true);
      expect(status).toBe(200);
      expect(text.trimEnd().split('\n\n').at(-1)).toMatch(/^data: \{"error":/);
      expect(text).not.toContain('[DONE]');
    });
  });
}

const KEYS = ['sk-sim-contract-1', 'sk-sim-contract-2'] as const;

function configOf({ type, basePath, model }: SimulatedVendor, url: string, keys: readonly string[]): JsonObject {
  return {
    providers: [{ name: 'sim', type, base_url: `${url}${basePath}`, keys }],
    models: [{ name: model, targets: [{ provider: 'sim', model }] }],
  };
}
