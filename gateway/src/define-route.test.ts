import { describe, expect, test } from 'vitest';
import { checkRoutes, type Route } from './define-route.ts';
import { routes } from './routes/index.ts';

const good: Route = {
  method: 'get',
  path: '/api/v1/things/{id}',
  operationId: 'getThing',
  tag: 'Things',
  summary: 'A thing',
  audience: 'app',
  cerbos: { resource: 'thing', action: 'read' },
  answer: { status: 200, description: 'The thing.' },
  handle: async () => ({}),
};

const without = (name: keyof Route): Route => {
  const { [name]: _, ...rest } = good;
  return rest as Route;
};

describe('the declaration of a route', () => {
  test('when it is whole, then it passes', () => {
    expect(() => checkRoutes([good])).not.toThrow();
  });

  test('when all routes of the API are checked, then they pass', () => {
    expect(() => checkRoutes(routes)).not.toThrow();
  });

  test.each<[string, Route, RegExp]>([
    ['no audience', without('audience'), /GET \/api\/v1\/things\/\{id\} names no audience/],
    ['an unknown audience', { ...good, audience: 'everybody' as Route['audience'] }, /names no audience/],
    ['no Cerbos pair', without('cerbos'), /names no Cerbos resource and action/],
    ['no Cerbos resource', { ...good, cerbos: { resource: '', action: 'read' } }, /names no Cerbos/],
    ['no Cerbos action', { ...good, cerbos: { resource: 'thing', action: '' } }, /names no Cerbos/],
    ['no operationId', without('operationId'), /no operationId/],
    [
      'a body without an example',
      { ...good, body: { schema: routes[0]?.body?.schema, example: undefined } as Route['body'] },
      /body without an example/,
    ],
    ['the path of another namespace', { ...good, path: '/api/v1/org/things' }, /outside the namespace/],
    ['the path of no namespace', { ...good, path: '/things' }, /outside the namespace/],
    ['an org route for everybody', { ...good, audience: 'public', path: '/api/v1/org/things' }, /outside the namespace/],
  ])('when it has %s, then it is refused by name', (_, route, message) => {
    expect(() => checkRoutes([route])).toThrow(message);
  });

  test('when a route or an operationId is there twice, then it is refused', () => {
    expect(() => checkRoutes([good, { ...good, operationId: 'other' }])).toThrow(/declared twice/);
    expect(() => checkRoutes([good, { ...good, path: '/api/v1/others' }])).toThrow(/declared twice/);
  });
});
