import { expect, test } from 'vitest';
import { exampleModel } from '../../src/config/example-model.ts';
import { configOf } from './load.ts';

const ANTHROPIC = 'providers: [{ type: anthropic, any_model: true, keys: [k] }]';

test.each([
  [
    'the first of the configuration',
    `${ANTHROPIC}\nmodels: [{ name: mine, targets: [{ provider: anthropic, model: x }] }]`,
    'mine',
  ],
  ['what its vendor has had for long, where there is none', ANTHROPIC, 'claude-haiku-4-5'],
  [
    'nothing where nobody knows what the server has',
    'providers: [{ type: vllm, any_model: true, base_url: "http://127.0.0.1:1/v1", keys: [k] }]',
    'MODEL',
  ],
])('a command that is shown names %s', (_, text, model) => {
  expect(exampleModel(configOf(text))).toBe(model);
});
