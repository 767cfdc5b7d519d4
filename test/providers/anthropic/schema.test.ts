import { describe, expect, it } from 'vitest';
import { grammarOf } from '../../../src/providers/anthropic/schema.ts';
import type { JsonObject } from '../../../src/providers/wire.ts';

describe('a schema as a grammar', () => {
  it('has closed objects, at every depth', () => {
    const inner = { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: true };
    const closed = { ...inner, additionalProperties: false };
    expect(
      grammarOf({
        $schema: 'x',
        properties: { list: { type: 'array', items: inner }, ref: { $ref: '#/$defs/inner' } },
        $defs: { inner },
        required: ['list'],
      }),
    ).toEqual({
      properties: { list: { type: 'array', items: closed }, ref: { $ref: '#/$defs/inner' } },
      $defs: { inner: closed },
      required: ['list'],
      additionalProperties: false,
    });
  });

  it('says in words what it cannot enforce', () => {
    const schema = {
      type: 'string',
      description: 'A code.',
      minLength: 2,
      pattern: '^[A-Z]+$',
      format: 'color',
    };
    expect(grammarOf(schema)).toEqual({
      type: 'string',
      description: 'A code.\n\n{minLength: 2, pattern: "^[A-Z]+$", format: "color"}',
    });
    expect(grammarOf({ type: 'array', minItems: 3, items: true })).toEqual({
      type: 'array',
      items: {},
      description: '{minItems: 3}',
    });
  });

  it('keeps what it can', () => {
    const schema = { type: 'array', minItems: 1, items: { type: 'string', format: 'date-time', enum: ['x'] } };
    expect(grammarOf(schema)).toEqual(schema);
  });

  it('knows one kind of alternative', () => {
    const [a, b, c] = [{ type: 'string' }, { type: 'null' }, { const: 1 }];
    expect(grammarOf({ anyOf: [a], oneOf: [b, c], allOf: [a] })).toEqual({ anyOf: [a, b, c], allOf: [a] });
    expect(grammarOf({ oneOf: 'x', properties: 7 })).toEqual({
      anyOf: [],
      properties: {},
      additionalProperties: false,
    });
  });

  it('has a bottom', () => {
    let deep: JsonObject = { type: 'string' };
    for (let depth = 0; depth < 10_000; depth += 1) deep = { type: 'array', items: deep };
    expect(() => grammarOf(deep)).not.toThrow();
  });
});
