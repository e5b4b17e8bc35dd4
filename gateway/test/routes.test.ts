import { expect, test } from 'vitest';
import type { Route } from '../src/define-route.ts';
import { callTo, startTestGateway } from './world.ts';

const thing: Route = {
  method: 'get',
  path: '/api/v1/auth/things',
  operationId: 'listThings',
  tag: 'Things',
  summary: 'Things',
  audience: 'public',
  cerbos: { resource: 'session', action: 'login' },
  answer: { status: 200, description: 'Things.' },
  handle: async () => ({ things: [] }),
};

const start = (route: Partial<Route>) => startTestGateway({}, {}, { routes: [{ ...thing, ...route }] });

test('when a route names no audience, then the gateway does not start', async () => {
  await expect(start({ audience: undefined })).rejects.toThrow('The route GET /api/v1/auth/things names no audience');
});

test('when a route names no Cerbos resource and action, then the gateway does not start', async () => {
  await expect(start({ cerbos: undefined })).rejects.toThrow('The route GET /api/v1/auth/things names no Cerbos resource and action');
});

test('when a route is declared, then it is served as policy says', async () => {
  const gateway = await startTestGateway(
    {},
    {},
    {
      routes: [
        thing,
        { ...thing, path: '/api/v1/auth/others', operationId: 'listOthers', cerbos: { resource: 'session', action: 'nonsense' } },
      ],
    },
  );
  const call = callTo(gateway.url);
  expect((await call('GET', '/auth/things')).body).toEqual({ things: [] });
  expect((await call('GET', '/auth/others')).body.error?.code).toBe('PERMISSION_DENIED');
  await gateway.close();
});

test('when a handler throws something unknown, then nothing of it is told', async () => {
  const handle = () => Promise.reject(new Error('password=hunter2'));
  const gateway = await startTestGateway({}, {}, { routes: [{ ...thing, handle }] });
  const answer = await callTo(gateway.url)('GET', '/auth/things');
  expect([answer.status, answer.body.error?.code]).toEqual([500, 'INTERNAL_ERROR']);
  expect(answer.text).not.toContain('hunter2');
  await gateway.close();
});
