import { describe, expect, it, test } from 'vitest';
import { answerSchema } from '../../../src/providers/cohere/schema.ts';
import type { JsonObject } from '../../../src/providers/wire.ts';

function member(schema: JsonObject): unknown {
  const { properties } = answerSchema({ type: 'object', properties: { a: schema }, required: ['a'] });
  return (properties as JsonObject)['a'];
}

describe('a rule that the vendor can’t enforce', () => {
  test.each([
    [
      { type: 'integer', minimum: 0, maximum: 9 },
      { type: 'integer', description: '{minimum: 0, maximum: 9}' },
    ],
    [
      { type: 'string', description: 'A name.', minLength: 1 },
      { type: 'string', description: 'A name.\n\n{minLength: 1}' },
    ],
    [
      { type: 'string', pattern: '^a' },
      { type: 'string', description: '{pattern: "^a"}' },
    ],
    [
      { type: 'string', pattern: 7 },
      { type: 'string', description: '{pattern: 7}' },
    ],
    [
      { type: 'string', format: 'email' },
      { type: 'string', description: '{format: "email"}' },
    ],
    [
      { allOf: [{ type: 'string' }, { minLength: 1 }] },
      { description: '{allOf: [{"type":"string"},{"minLength":1}]}' },
    ],
  ])('is said to the model instead: %j', (given, taken) => {
    expect(member(given)).toEqual(taken);
  });

  test.each([
    [{ type: 'string', pattern: 'a+', format: 'uuid' }],
    [{ type: 'string', enum: ['a'] }],
    [{ $ref: '#/$defs/a' }],
    [true],
  ])('is not %j', (given) => {
    expect(member(given as JsonObject)).toEqual(given);
  });
});

describe('a schema', () => {
  it('of one of several is any of them', () => {
    expect(member({ oneOf: [{ type: 'string', minLength: 1 }, { type: 'null' }] })).toEqual({
      anyOf: [{ type: 'string', description: '{minLength: 1}' }, { type: 'null' }],
    });
  });

  it('of all of one is that one', () => {
    expect(member({ allOf: [{ $ref: '#/$defs/a' }], description: 'A.' })).toEqual({
      $ref: '#/$defs/a',
      description: 'A.',
    });
  });

  it('of an object requires all where it requires nothing', () => {
    const properties = { a: { type: 'string' }, b: { type: 'object', properties: {} } };
    expect(answerSchema({ type: 'object', properties, required: [] })).toEqual({
      type: 'object',
      properties,
      required: ['a', 'b'],
    });
  });

  it('is cleaned all the way down, and loses what means nothing', () => {
    const inner = { type: 'array', items: { type: 'integer', minimum: 1 }, maxItems: 3 };
    expect(answerSchema({ $schema: 'x', $defs: { a: inner }, additionalProperties: false })).toEqual({
      $defs: {
        a: {
          type: 'array',
          items: { type: 'integer', description: '{minimum: 1}' },
          description: '{maxItems: 3}',
        },
      },
      additionalProperties: false,
    });
  });

  it('without an end is cut', () => {
    const loop: Record<string, unknown> = { type: 'array' };
    loop['items'] = loop;
    expect(JSON.stringify(answerSchema(loop)).length).toBeLessThan(5_000);
  });
});
