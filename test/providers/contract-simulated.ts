import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listAt } from '../../src/providers/mapping/json.ts';
import type { JsonObject } from '../../src/providers/wire.ts';
import type { VendorName } from '../../src/simulator/options.ts';
import { errorOf, type SimulatorAt, type Sluice, startSimulator, startSluice } from '../system/world.ts';
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
      sluice = await startSluice(configOf(options, simulator.url));
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

function configOf({ type, basePath, model }: SimulatedVendor, url: string): JsonObject {
  return {
    providers: [{ name: 'sim', type, base_url: `${url}${basePath}`, keys: [KEY] }],
    models: [{ name: model, targets: [{ provider: 'sim', model }] }],
  };
}
