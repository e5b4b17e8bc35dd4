import { AppError } from '@accessops/errors';
import { describe, expect, test } from 'vitest';
import { parseParameters, parseParametersSchema } from './parameters-schema.ts';

const refusal = (act: () => unknown): AppError => {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

const schema = (value: unknown) => parseParametersSchema(JSON.stringify(value));

describe('a schema of parameters', () => {
  test.each([
    ['an empty one', {}],
    ['one that names its dialect', { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' }],
    [
      'one with 2020-12 keywords',
      { type: 'object', properties: { a: { prefixItems: [{ type: 'string' }] } }, unevaluatedProperties: false },
    ],
    [
      'one with formats and patterns',
      { properties: { d: { type: 'string', format: 'date-time' }, s: { type: 'string', pattern: '^[a-z]+$' } } },
    ],
    ['one with annotations', { title: 'T', description: 'D', properties: { n: { type: 'integer', default: 3, examples: [1] } } }],
  ])('when it is %s, then it is taken', (_, value) => {
    expect(JSON.parse(schema(value))).toEqual(value);
  });

  test.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['a number', '3'],
    ['an unknown type', JSON.stringify({ type: 'text' })],
    ['an unknown keyword', JSON.stringify({ propertys: {} })],
    ['an unknown format', JSON.stringify({ properties: { a: { format: 'shoe-size' } } })],
    ['another dialect', JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#' })],
    ['a remote reference', JSON.stringify({ $ref: 'http://169.254.169.254/schema' })],
    ['a reference to itself', JSON.stringify({ $ref: '#' })],
    ['definitions', JSON.stringify({ $defs: { a: {} } })],
    ['a pattern that backtracks by look-around', JSON.stringify({ properties: { a: { pattern: '(?=(a+)+$)' } } })],
    ['a back-reference', JSON.stringify({ patternProperties: { '^(a)\\1$': {} } })],
    ['too many patterns', JSON.stringify({ allOf: Array.from({ length: 50 }, () => ({ pattern: 'a{100}' })) })],
    ['deeply nested', `${'{"not":'.repeat(30)}{}${'}'.repeat(30)}`],
    ['too long', JSON.stringify({ description: 'x'.repeat(20_000) })],
    ['a trap for prototypes', '{"properties":{"__proto__":{"type":"string"}}}'],
    ['a NUL character', '{"title":"a\\u0000b"}'],
  ])('when it is %s, then the field is named', (_, text) => {
    const { code, fields } = refusal(() => parseParametersSchema(text));
    expect([code, fields[0]?.pointer]).toEqual(['INVALID_FIELDS', '/parametersSchema']);
  });
});

describe('parameters', () => {
  const database = schema({
    type: 'object',
    properties: {
      table: { type: 'string', pattern: '^[a-z_]+$' },
      rows: { type: 'integer', minimum: 1 },
      tags: { type: 'array', items: { type: 'string' } },
    },
    required: ['table'],
    additionalProperties: false,
  });

  test('when they fit, then they are kept', () => {
    expect(parseParameters(database, '{ "table": "customer", "rows": 5 }')).toBe('{"table":"customer","rows":5}');
  });

  test.each([
    ['one is missing', '{}', '/parameters/table'],
    ['none are given', '', '/parameters/table'],
    ['one is too many', '{"table":"a","a/b~":1}', '/parameters/a~1b~0'],
    ['one has the wrong type', '{"table":"a","rows":"5"}', '/parameters/rows'],
    ['one is out of range', '{"table":"a","rows":0}', '/parameters/rows'],
    ['one does not match', '{"table":"A; drop table x"}', '/parameters/table'],
    ['an item is wrong', '{"table":"a","tags":["x",7]}', '/parameters/tags/1'],
    ['they are a list', '[]', '/parameters'],
    ['they are no JSON', '{table: 1}', '/parameters'],
    ['they are too many', JSON.stringify({ table: 'a', tags: Array.from({ length: 300 }, () => 'x') }), '/parameters'],
    ['they hold half a character', '{"table":"\\ud800"}', '/parameters'],
  ])('when %s, then the field is named', (_, text, pointer) => {
    const { code, fields } = refusal(() => parseParameters(database, text));
    expect([code, fields[0]?.pointer]).toEqual(['INVALID_FIELDS', pointer]);
  });

  test('when the type takes none, then only none fit', () => {
    expect(parseParameters('', '')).toBe('');
    expect(parseParameters('', '{}')).toBe('');
    expect(refusal(() => parseParameters('', '{"a":1}')).fields[0]?.pointer).toBe('/parameters');
  });

  test('when a pattern would backtrack for ever, then the answer comes at once', () => {
    const slow = schema({ properties: { a: { type: 'string', pattern: '^(([a-z])+.)+[A-Z]([a-z])+$' } } });
    const startedAt = performance.now();
    expect(refusal(() => parseParameters(slow, JSON.stringify({ a: 'a'.repeat(4000) }))).fields[0]?.pointer).toBe('/parameters/a');
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });
});
