import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import asyncApi from '@asyncapi/specs';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from '../paths.ts';
import { eventFlow } from './event-flow.ts';

const text = readFileSync(join(root, 'docs/asyncapi.yaml'), 'utf8');
const document = parse(text) as Record<string, unknown>;

test('when the events are described, then as the schema of AsyncAPI 3 wants it', () => {
  // The schema brings draft 07 along.
  const ajv = new Ajv({ strict: false, allErrors: true, meta: false, validateSchema: false });
  addFormats.default(ajv);
  const validate = ajv.compile(asyncApi.schemas['3.0.0'] as object);
  validate(document);
  expect(validate.errors).toBeNull();
  // The schema is large, and compiled first.
}, 120_000);

test('when something is referred to, then it is there', () => {
  const targets = [...new Set([...text.matchAll(/\$ref: "?#\/([^"\n]+)/g)].map(([, path = '']) => path))];
  const missing = targets.filter(
    (path) => path.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document) === undefined,
  );
  expect(targets.length).toBeGreaterThan(100);
  expect(missing).toEqual([]);
});

test('when an event is in the contract that nobody tells, then there is no document', () => {
  expect(() => eventFlow(['RequestForgotten'])).toThrow('no service tells RequestForgotten');
});
