import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AnswerText } from '../../../src/simulator/answer-text.ts';
import { isFailure } from '../../../src/simulator/api/failure.ts';
import { RoundWriter } from '../../../src/simulator/api/round-writer.ts';
import type { ModelCallRead } from '../../../src/simulator/api/vendor-api.ts';
import { composeAnswer } from '../../../src/simulator/compose-answer.ts';
import { createTokenCounter } from '../../../src/simulator/count-tokens.ts';
import type { Json } from '../../../src/simulator/json.ts';
import type { VendorName } from '../../../src/simulator/options.ts';
import { StoredThings } from '../../../src/simulator/stored-things.ts';
import { vendorApi } from '../../../src/simulator/vendors/registry.ts';

const count = createTokenCounter();
const words = new AnswerText();

const CHAT = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };
const TOOL = { name: 'f', parameters: { type: 'object', properties: {} } };
const TOOLS = { tools: [{ type: 'function', function: TOOL }] };
const FORMAT = { response_format: { type: 'json_schema', json_schema: { schema: {} } } };
const GENERATE = { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }], generationConfig: { maxOutputTokens: 9 } };
const DECLARED = { tools: [{ functionDeclarations: [{ name: 'f' }] }], systemInstruction: {}, toolConfig: {} };

/** A request that is answered; any of its fields may come as anything at all. */
const REQUESTS: readonly (readonly [VendorName, string, Json])[] = [
  ['openai', '/v1/chat/completions', { ...CHAT, ...TOOLS, ...FORMAT, stop: 'x', n: 1, tool_choice: 'auto' }],
  ['openai', '/v1/completions', { model: 'm', prompt: 'Hi', max_tokens: 3, n: 1, stop: 'x', echo: true }],
  ['openai', '/v1/embeddings', { model: 'm', input: 'Hi', dimensions: 3, encoding_format: 'float' }],
  ['openai', '/v1/moderations', { model: 'm', input: 'Hi' }],
  [
    'openai',
    '/v1/responses',
    { model: 'm', input: 'Hi', tools: [{ type: 'function', ...TOOL }], text: {}, reasoning: {} },
  ],
  ['anthropic', '/v1/messages', { ...CHAT, max_tokens: 9, system: 'x', thinking: {}, output_config: {}, metadata: {} }],
  ['anthropic', '/v1/messages', { ...CHAT, max_tokens: 9, tools: [{ name: 'f', input_schema: { type: 'object' } }] }],
  ['gemini', '/v1beta/models/m:generateContent', { ...GENERATE, ...DECLARED }],
  ['gemini', '/v1beta/models/m:streamGenerateContent', { ...GENERATE, ...DECLARED }],
  ['gemini', '/v1beta/models/m:batchEmbedContents', { requests: [{ content: { parts: [{ text: 'Hi' }] } }] }],
  [
    'cohere',
    '/v2/chat',
    { ...CHAT, ...TOOLS, max_tokens: 3, thinking: {}, stop_sequences: ['x'], response_format: {} },
  ],
  ['cohere', '/v2/embed', { model: 'm', input_type: 'x', texts: ['Hi'], inputs: [], embedding_types: ['float'] }],
  ['mistral', '/v1/chat/completions', { ...CHAT, ...TOOLS, ...FORMAT, stop: 'x', tool_choice: 'any' }],
  ['groq', '/openai/v1/chat/completions', { ...CHAT, ...TOOLS, ...FORMAT, reasoning_effort: 'low' }],
  ['azure', '/openai/deployments/m/chat/completions', { ...CHAT, ...TOOLS, stream_options: {} }],
];

/** Names that some vendor reads, so that values of the wrong kind reach every reader. */
const NAMES = (
  'model messages max_tokens system tools tool_choice thinking output_config format schema type name text content role ' +
  'parts contents generationConfig functionCall functionResponse response functionDeclarations parameters properties ' +
  'input_schema tool_calls tool_call_id id function arguments stop stop_sequences response_format json_schema input ' +
  'inputs texts prompt requests n cache_control stream_options metadata reasoning items anyOf enum required document'
).split(' ');

const anything = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(
      'user',
      'assistant',
      'model',
      'tool',
      'text',
      'image',
      'tool_use',
      'function',
      'json_schema',
      'object',
    ),
    fc.constantFrom(null, true, 0, 1, 1024, -1, 1.5, '', 'm', 'OBJECT', '__proto__'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie('value'), { maxKeys: 6 }),
  ),
})).value;

it.each(REQUESTS)('%s reads, answers or refuses whatever comes to %s', (vendor, path, usual) => {
  const incoming = {
    method: 'POST',
    path,
    query: new URLSearchParams('api-version=1'),
    headers: { 'anthropic-version': '1' },
  };
  const endpoint = vendorApi(vendor).endpointOf(incoming);
  const odd = fc.dictionary(fc.constantFrom(...Object.keys(usual)), anything, { maxKeys: 2 });
  fc.assert(
    fc.property(odd, (fields) => {
      const read = endpoint?.kind === 'model' ? endpoint.read({ ...usual, ...fields }, new StoredThings()) : null;
      if (read === null || isFailure(read)) return read !== null;
      return isAnswered(read);
    }),
    { numRuns: 300 },
  );
});

function isAnswered({ request, write }: ModelCallRead): boolean {
  const choices = composeAnswer(request, { words, drawLength: () => 5, usageFactor: 1 });
  const usage = { input: request.countPrompt(count), output: 5, cached: 0, cacheWritten: 0, thinking: 0 };
  for (const { text } of request.cache?.known ?? []) text();
  const answer = { id: '0'.repeat(24), created: 0, model: request.model, choices, usageAfter: () => usage };
  const writer = write(answer);
  expect(() => JSON.parse(writer.whole(usage))).not.toThrow();
  const rounds = new RoundWriter(answer, writer);
  rounds.opening();
  for (let round = 0; round < Math.max(0, ...choices.map(({ length }) => length)); round++) rounds.round(round);
  rounds.closing(usage);
  return Number.isInteger(usage.input);
}
