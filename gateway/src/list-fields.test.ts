import { z } from '@hono/zod-openapi';
import { expect, test } from 'vitest';
import type { FieldType } from './list-query.ts';
import { routes } from './routes/index.ts';

/** A field of an item as JSON Schema has it. */
interface Field {
  format?: string;
  anyOf?: Field[];
}

/** A page of a list as JSON Schema has it. */
interface Page {
  properties: { items: { items: { properties: Record<string, Field> } } };
}

const named = /^(?:status|role|key|slug|name|firstName|lastName|email|\w+Email)$/;

/** What a list has to be filtered by because of this field; undefined where nobody expects it. */
const wanted = (name: string, { format, anyOf = [] }: Field): readonly FieldType[] | undefined => {
  const formats = [format, ...anyOf.map((one) => one.format)];
  if (formats.includes('date-time')) return ['time'];
  if (formats.includes('uuid')) return ['uuid', 'text'];
  return named.test(name) ? ['text', 'choice'] : undefined;
};

// There are few settings, all of them always there, and most of them nobody has ever changed.
const exceptions = ['listSettings updatedAt', 'listGlobalSettings updatedAt'];

test('when items of a list have ids, states, roles, names, addresses or times, then it can be filtered by them', () => {
  const missing = routes.flatMap(({ operationId, list, answer: { schema } }) => {
    if (!list || !schema) return [];
    const page = z.toJSONSchema(schema, { unrepresentable: 'any' }) as unknown as Page;
    return Object.entries(page.properties.items.items.properties).flatMap(([name, field]) => {
      const types = wanted(name, field);
      const declared = list.fields[name];
      return types && !(declared && types.includes(declared)) ? [`${operationId} ${name}`] : [];
    });
  });
  expect(missing).toEqual(exceptions);
});
