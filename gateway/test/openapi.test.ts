import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningGateway } from '../src/app.ts';
import { routes } from '../src/routes/index.ts';
import { type Call, callTo, startTestGateway } from './world.ts';

interface Media {
  example?: unknown;
  examples?: object;
  schema?: unknown;
}
interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  security: object[];
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { description: string; content?: Record<string, Media> }>;
}
interface Document {
  openapi: string;
  info: { title: string; version: string };
  servers: { url: string }[];
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: Record<string, Record<string, unknown>>;
}

describe('the OpenAPI document', () => {
  let gateway: RunningGateway;
  let call: Call;
  let document: Document;
  let operations: { label: string; path: string; operation: Operation }[];

  beforeAll(async () => {
    gateway = await startTestGateway();
    call = callTo(gateway.url);
    document = (await call('GET', '//openapi.json')).body as unknown as Document;
    operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ label: `${method.toUpperCase()} ${path}`, path, operation })),
    );
  });
  afterAll(() => gateway.close());

  test('when it is read, then it is OpenAPI 3.1 with a title, a server and every tag explained', () => {
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'AccessOps' }, servers: [{ url: '/' }] });
    const used = new Set(operations.flatMap(({ operation }) => operation.tags));
    expect(document.tags.map(({ name }) => name).sort()).toEqual([...used].sort());
  });

  test('when it names an operation of the API, then a declared route is behind it, and the other way round', () => {
    const declared = routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    const documented = operations.filter(({ path }) => /^.(api|webhooks)./.test(path)).map(({ label }) => label);
    expect(documented.sort()).toEqual(declared.sort());
  });

  test('when there are operationIds, then each is there once', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('when an operation takes or answers JSON, then there is an example of it', () => {
    const without = operations.filter(({ operation: { requestBody, responses } }) => {
      const answers = Object.entries(responses).filter(([status]) => status.startsWith('2'));
      const media = [requestBody, ...answers.map(([, response]) => response)].map((found) => found?.content?.['application/json']);
      return answers.length !== 1 || media.some((found) => found && found.example === undefined);
    });
    expect(without.map(({ label }) => label)).toEqual([]);
  });

  test('when there is an example, then it fits', () => {
    const bodies = routes.flatMap(({ operationId, body }) => (body ? [{ operationId, ...body }] : []));
    expect(bodies.filter(({ schema, example }) => !schema.safeParse(example).success).map(({ operationId }) => operationId)).toEqual([]);
    const answers = routes.flatMap(({ answer: { schema, example } }) => (schema ? [{ schema, example }] : []));
    expect(answers.map(({ schema, example }) => schema.parse(example))).toEqual(answers.map(({ example }) => example));
  });

  test('when an operation of the API fails, then its problems are described with examples', () => {
    const missing = operations
      .filter(({ path }) => path.startsWith('/api/'))
      .flatMap(({ label, path, operation: { security, requestBody, responses } }) => {
        const wanted = [
          '403',
          '500',
          '503',
          ...(security.length > 0 ? ['401'] : []),
          ...(path.includes('{') ? ['400', '404'] : []),
          ...(requestBody ? ['400', '413', '415', '422'] : []),
        ];
        const described = Object.entries(responses)
          .filter(([, { content }]) => content?.['application/problem+json']?.examples)
          .map(([status]) => status);
        return wanted.filter((status) => !described.includes(status)).map((status) => `${label} ${status}`);
      });
    expect(missing).toEqual([]);
  });

  test('when a route is not for everybody, then it needs a bearer token', () => {
    const guarded = operations.filter(({ operation }) => operation.security.length > 0).map(({ path }) => path);
    const isOpen = (path: string) => path.startsWith('/api/v1/auth/') && !path.endsWith('/step-up');
    const wanted = operations.map(({ path }) => path).filter((path) => path.startsWith('/api/') && !isOpen(path));
    expect(guarded).toEqual(wanted);
  });

  test('when a list is described, then what it can be filtered and sorted by stands there', () => {
    const missing = routes.flatMap(({ method, path, list }) => {
      if (!list) return [];
      const names = document.paths[path]?.[method]?.parameters?.map(({ name }) => name) ?? [];
      const wanted = [
        ...Object.keys(list.fields).map((field) => `filter[${field}]`),
        ...((list.paged ?? true) ? ['limit', 'cursor', 'sort'] : []),
      ];
      return wanted.filter((name) => !names.includes(name)).map((name) => `${path} ${name}`);
    });
    expect(missing).toEqual([]);
  });

  test('when it refers to something, then that is there', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, to = '']) => to.split('/'));
    expect(references.length).toBeGreaterThan(100);
    for (const [, kind = '', name = ''] of references) expect(document.components[kind]).toHaveProperty([name]);
  });

  test('when the reference is opened, then it is a page whose scripts come from here and that cannot be framed', async () => {
    const page = await call('GET', '//docs');
    expect(page.headers['content-type']).toMatch(/^text\/html/);
    expect(page.headers['content-security-policy']).toMatch(/script-src 'self';.*frame-ancestors 'none'/);
    const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, where = '']) => where);
    expect(assets.length).toBeGreaterThanOrEqual(3);
    for (const asset of assets) {
      expect(asset).toMatch(/^\/docs\//);
      const { status, text } = await call('GET', `/${asset}`);
      expect([status, text.length > 0]).toEqual([200, true]);
    }
    expect((await call('GET', '//docs/errors')).text).toContain('id="REQUEST_NOT_FOUND"');
  });
});
