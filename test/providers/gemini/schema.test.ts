import { describe, expect, test } from 'vitest';
import { jsonSchema, openApiSchema } from '../../../src/providers/gemini/schema.ts';

describe('a JSON Schema', () => {
  test.each([
    ['keeps what is understood', { type: 'object', properties: { a: { type: 'string', format: 'date' } } }, null],
    ['loses what is not', { type: 'string', pattern: '^a', $schema: 'x', default: 'b' }, { type: 'string' }],
    [
      'loses it at every depth',
      { items: { not: {}, anyOf: [{ if: {}, type: 'string' }] } },
      { items: { anyOf: [{ type: 'string' }] } },
    ],
    ['keeps yes and no for schemas', { additionalProperties: false, items: true }, null],
    ['has nothing beside a reference', { $ref: '#/$defs/a', description: 'x' }, { $ref: '#/$defs/a' }],
    [
      'has definitions under their newer name',
      { $ref: '#/definitions/a', definitions: { a: { type: 'string' } } },
      { $ref: '#/$defs/a', $defs: { a: { type: 'string' } } },
    ],
    ['has a list of one for a constant', { const: 'x' }, { enum: ['x'] }],
    ['keeps odd members as they are', { anyOf: 'x', properties: 7 }, null],
    ['has anything for what is no schema', { items: 7 }, { items: {} }],
  ])('%s', (_what, schema, expected) => {
    expect(jsonSchema(schema)).toEqual(expected ?? schema);
  });

  test('that is deeper than any model takes ends somewhere', () => {
    let schema: object = { type: 'string' };
    for (let depth = 0; depth < 5_000; depth += 1) schema = { items: schema };
    expect(JSON.stringify(jsonSchema(schema))).toHaveLength(25 * 10 + 2);
  });
});

describe('a schema of OpenAPI', () => {
  const text = { type: 'string' };

  test.each([
    ['a type that may be null', { type: ['string', 'null'] }, { type: 'string', nullable: true }],
    ['several types', { type: ['string', 'integer'] }, { anyOf: [text, { type: 'integer' }] }],
    ['a choice with null', { anyOf: [text, { type: 'null' }] }, { type: 'string', nullable: true }],
    ['a choice', { oneOf: [text, { type: 'integer' }] }, { anyOf: [text, { type: 'integer' }] }],
    ['what must be all at once', { allOf: [text] }, text],
    ['what is nullable already', { type: 'string', nullable: true }, { type: 'string', nullable: true }],
    ['a constant', { const: 'a' }, { type: 'string', enum: ['a'] }],
    ['values', { enum: ['a', null, 3] }, { type: 'string', enum: ['a', '3'] }],
    ['values that are numbers', { type: 'integer', enum: [1, 2] }, { type: 'integer' }],
    ['a list without a type', { items: text }, { type: 'array', items: text }],
    ['what may be anything', {}, { type: 'object' }],
    [
      'yes for a schema',
      { type: 'object', properties: { a: true } },
      { type: 'object', properties: { a: { type: 'object' } } },
    ],
    [
      'words that are not understood',
      { type: 'object', additionalProperties: false, $schema: 'x' },
      { type: 'object' },
    ],
    [
      'references',
      { type: 'object', properties: { a: { $ref: '#/$defs/b' } }, $defs: { b: { type: 'string' } }, required: ['a'] },
      { type: 'object', properties: { a: text }, required: ['a'] },
    ],
    ['references of the older form', { $ref: '#/definitions/b', definitions: { b: text } }, text],
    ['references to nowhere', { $ref: '#/x' }, { type: 'object' }],
  ])('is made of %s', (_what, schema, expected) => {
    expect(openApiSchema(schema)).toEqual(expected);
  });

  test('of what refers to itself ends somewhere', () => {
    const node = { type: 'object', properties: { next: { $ref: '#/$defs/node' } } };
    expect(JSON.stringify(openApiSchema({ ...node, $defs: { node } })).length).toBeLessThan(1_000);
  });

  test('of what refers to itself twice does not grow beyond measure', () => {
    const { $ref } = { $ref: '#/$defs/node' };
    const node = { type: 'object', properties: { left: { $ref }, right: { $ref } } };
    expect(JSON.stringify(openApiSchema({ ...node, $defs: { node } })).length).toBeLessThan(100_000);
  });
});
