import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Call, type Item, type Person, startWorld, type World } from './world.ts';

const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const unknownId = '0190a0a0-0000-7000-8000-000000000000';

describe('bad input', () => {
  let world: World;
  let call: Call;
  let admin: Person;
  let requester: Person;
  let resource: Item;

  beforeAll(async () => {
    world = await startWorld();
    call = world.call;
    const organization = await world.organization();
    admin = organization.admin;
    requester = await world.person(admin, organization.slug, ['requester']);
    const typeBody = { key: 'db', name: 'Db', connector: 'simulated', roles: ['reader'], sensitivity: 'medium', maxDuration: 'P1D' };
    const type = await call('POST', '/org/resource-types', { token: admin.token, body: typeBody });
    const resourceBody = { key: 'db-1', name: 'Db 1', resourceTypeId: type.body.id };
    resource = (await call('POST', '/org/resources', { token: admin.token, body: resourceBody })).body as Item;
  });
  afterAll(() => world.close());

  const good = () => ({ resourceId: resource.id, role: 'reader', justification: 'fine', duration: 'PT1H' });
  const file = (body: unknown, headers?: Record<string, string>) => call('POST', '/requests', { token: requester.token, body, headers });
  const brief = ({ status, body }: Answer) => [status, body.error?.code];
  const nothingWritten = async () => expect((await call('GET', '/requests/me', { token: requester.token })).body.items).toEqual([]);

  /** Writes bytes and answers all that comes back until the other side closes. */
  const raw = (write: (socket: Socket) => void): Promise<string> =>
    new Promise((resolve, reject) => {
      let text = '';
      const socket = connect(world.gateway.port, '127.0.0.1', () => write(socket));
      socket.on('data', (data) => {
        text += data.toString('latin1');
      });
      socket.on('close', () => resolve(text));
      socket.on('error', (error: NodeJS.ErrnoException) => (text ? resolve(text) : reject(error)));
    });

  const head = (...lines: string[]) => `${lines.join('\r\n')}\r\nHost: x\r\nAuthorization: Bearer ${requester.token}\r\n`;

  test.each<[string, Record<string, unknown>, string[]]>([
    ['an unknown field', { colour: 'red' }, ['/colour']],
    ['several unknown fields', { 'a/b': 1, 'c~d': 2 }, ['/a~1b', '/c~0d']],
    ['a tenant', { tenantId: unknownId }, ['/tenantId']],
    ['a status', { status: 'ACTIVE' }, ['/status']],
    ['a requester', { requesterId: unknownId }, ['/requesterId']],
    ['org roles', { orgRoles: ['admin'] }, ['/orgRoles']],
    ['a number for a role', { role: 7 }, ['/role']],
    ['no role', { role: undefined }, ['/role']],
    ['null for a role', { role: null }, ['/role']],
    ['an array for a text', { justification: ['x'] }, ['/justification']],
    ['a blank text', { justification: ' \n\t' }, ['/justification']],
    ['a very long text', { justification: 'x'.repeat(2001) }, ['/justification']],
    ['a NUL byte', { justification: 'a\u0000b' }, ['/justification']],
    ['a NUL byte deep inside', { parameters: { a: [{ b: '\u0000' }] } }, ['/parameters/a/0/b']],
    ['half a surrogate pair', { justification: 'a\ud800b' }, ['/justification']],
    ['no UUID', { resourceId: "1' or '1'='1" }, ['/resourceId']],
    ['a duration of zero', { duration: 'PT0S' }, ['/duration']],
    ['a negative duration', { duration: '-PT1H' }, ['/duration']],
    ['a duration without a number', { duration: 'PT' }, ['/duration']],
    ['no duration', { duration: 'soon' }, ['/duration']],
    ['months', { duration: 'P1M' }, ['/duration']],
    ['fractions', { duration: 'PT0.5H' }, ['/duration']],
    ['a duration beyond the maximum', { duration: 'P3650D' }, ['/duration']],
    ['an array for parameters', { parameters: [] }, ['/parameters']],
    ['an enormous number', { parameters: { a: Number.MAX_VALUE } }, ['/parameters']],
  ])('when a request has %s, then 422 names it and nothing is written', async (_, fields, pointers) => {
    const answer = await file({ ...good(), ...fields });
    expect(brief(answer)).toEqual([422, 'INVALID_FIELDS']);
    const named = answer.body.errors?.map(({ pointer }) => pointer) ?? [];
    for (const pointer of pointers) expect(named.some((found) => found.startsWith(pointer))).toBe(true);
    await nothingWritten();
  });

  test.each<[string, string | Uint8Array, number, string]>([
    ['is cut off', '{"resourceId":', 400, 'MALFORMED_JSON'],
    ['is empty', '', 400, 'MALFORMED_JSON'],
    ['is a bare word', 'hello', 400, 'MALFORMED_JSON'],
    ['has a byte order mark', '\ufeff{}', 400, 'MALFORMED_JSON'],
    ['has a comment', '{/**/}', 400, 'MALFORMED_JSON'],
    ['is not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), 400, 'MALFORMED_JSON'],
    ['is overlong UTF-8', Buffer.from([0x22, 0xc0, 0xaf, 0x22]), 400, 'MALFORMED_JSON'],
    ['is UTF-16', Buffer.from('{}', 'utf16le'), 400, 'MALFORMED_JSON'],
    ['is 33 levels deep', deep(33), 400, 'MALFORMED_JSON'],
    ['is 100,000 levels deep', deep(100_000), 400, 'MALFORMED_JSON'],
    ['is an array', '[1,2]', 422, 'INVALID_FIELDS'],
    ['is null', 'null', 422, 'INVALID_FIELDS'],
    ['is a text', '"{}"', 422, 'INVALID_FIELDS'],
    ['is a number', '1e999', 422, 'INVALID_FIELDS'],
    ['pollutes prototypes', '{"__proto__":{"admin":true},"role":"reader"}', 422, 'INVALID_FIELDS'],
    ['pollutes by constructor', '{"constructor":{"prototype":{"admin":true}}}', 422, 'INVALID_FIELDS'],
    ['pollutes inside', '{"parameters":{"__proto__":{"admin":true}}}', 422, 'INVALID_FIELDS'],
    ['has 1 MiB and a byte', `"${'x'.repeat(1024 * 1024 - 1)}"`, 413, 'BODY_TOO_LARGE'],
    ['has 10 MB', JSON.stringify({ justification: 'x'.repeat(10_000_000) }), 413, 'BODY_TOO_LARGE'],
  ])('when a body %s, then %i %s', async (_, body, status, code) => {
    expect(brief(await file(body))).toEqual([status, code]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    await nothingWritten();
  });

  test('when a body has 1 MiB, then it is read', async () => {
    const padding = 1024 * 1024 - Buffer.byteLength(JSON.stringify({ ...good(), justification: '' }));
    expect(brief(await file({ ...good(), justification: 'x'.repeat(padding) }))).toEqual([422, 'INVALID_FIELDS']);
  });

  test('when very much is wrong, then the answer stays small', async () => {
    const many = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`x${index}`, 1]));
    const long = { ['y'.repeat(500_000)]: '\0' };
    const brackets = 512 * 1024;
    for (const body of [many, long, { [`__proto__`]: 1, ...long }, `${'['.repeat(brackets)}${']'.repeat(brackets)}`]) {
      const answer = await file(body);
      expect([400, 422]).toContain(answer.status);
      expect(answer.text.length).toBeLessThan(10_000);
    }
  });

  test('when a chunked body gets too large, then it is refused without being read to its end', async () => {
    let sent = 0;
    const text = await raw((socket) => {
      socket.write(`${head('POST /api/v1/requests HTTP/1.1', 'Content-Type: application/json', 'Transfer-Encoding: chunked')}\r\n`);
      const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
      const pump = () => {
        while (!socket.destroyed && sent < 1024 ** 3) {
          sent += chunk.length;
          if (!socket.write(chunk)) return socket.once('drain', pump);
        }
        return socket;
      };
      pump();
    });
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(text).toContain('BODY_TOO_LARGE');
    expect(sent).toBeLessThan(512 * 1024 ** 2);
  });

  test.each([
    ['application/x-www-form-urlencoded'],
    ['text/plain'],
    ['application/jsonp'],
    ['application/json; charset=latin1'],
    ['application/problem+json'],
    [''],
  ])('when the content type is "%s", then 415', async (type) => {
    expect(brief(await file(JSON.stringify(good()), { 'content-type': type }))).toEqual([415, 'NOT_JSON']);
  });

  test('when the body is compressed, then 415', async () => {
    expect(brief(await file('xx', { 'content-encoding': 'gzip' }))).toEqual([415, 'NOT_JSON']);
  });

  test.each(['application/json', 'Application/JSON', 'application/json; charset=utf-8', 'application/json;charset="UTF-8"'])(
    'when the content type is %s, then the body is read',
    async (type) => {
      expect(brief(await file('{}', { 'content-type': type }))).toEqual([422, 'INVALID_FIELDS']);
    },
  );

  test.each([
    ['SQL in a filter value', "filter[status][eq]=x' or 1=1 --", 200, undefined],
    ['SQL in a filter name', 'filter[status;drop table x][eq]=1', 400, 'INVALID_FILTER'],
    ['SQL in a sort key', 'sort=createdAt;drop table x', 400, 'INVALID_FILTER'],
    ['an unknown field', 'filter[nope][eq]=1', 400, 'INVALID_FILTER'],
    ['an inherited name', 'filter[__proto__][eq]=1', 400, 'INVALID_FILTER'],
    ['an unknown operator', 'filter[status][regex]=.*', 400, 'INVALID_FILTER'],
    ['no UUID for an id', 'filter[id][eq]=7', 400, 'INVALID_FILTER'],
    ['no time for a time', 'filter[createdAt][gte]=yesterday', 400, 'INVALID_FILTER'],
    ['a NUL character', 'filter[status][eq]=a%00b', 400, 'INVALID_FILTER'],
    ['broken percent encoding', 'filter[status][eq]=%ff%fe', 200, undefined],
    ['an unknown sort key', 'sort=nope', 400, 'INVALID_FILTER'],
    ['a forged cursor', 'cursor=eyJhIjoxfQ', 400, 'INVALID_CURSOR'],
    ['an empty cursor', 'cursor=', 200, undefined],
    ['a limit of zero', 'limit=0', 400, 'INVALID_PARAMETER'],
    ['a negative limit', 'limit=-1', 400, 'INVALID_PARAMETER'],
    ['a limit that is no number', 'limit=many', 400, 'INVALID_PARAMETER'],
    ['a large limit', 'limit=5000', 200, undefined],
    ['a parameter nobody knows', 'offset=5', 400, 'INVALID_PARAMETER'],
  ])('when a list is asked with %s, then %s is answered', async (_, query, status, code) => {
    expect(brief(await call('GET', `/requests/me?${query.replaceAll(' ', '%20')}`, { token: requester.token }))).toEqual([status, code]);
  });

  test.each([
    ['GET', '/nothing-here', 404, 'ROUTE_NOT_FOUND'],
    ['GET', '//', 404, 'ROUTE_NOT_FOUND'],
    ['GET', '//api/v1', 404, 'ROUTE_NOT_FOUND'],
    ['GET', '//api/v2/me', 404, 'ROUTE_NOT_FOUND'],
    ['GET', '/me/', 404, 'ROUTE_NOT_FOUND'],
    ['GET', '//docs/../package.json', 404, 'ROUTE_NOT_FOUND'],
    ['GET', '//docs/%2e%2e/package.json', 404, 'ROUTE_NOT_FOUND'],
    ['GET', '/requests/not-an-id', 400, 'INVALID_PARAMETER'],
    ['GET', '/requests/%00', 400, 'INVALID_PARAMETER'],
    ['GET', '/requests/%ff', 400, 'INVALID_PARAMETER'],
    ['GET', `/requests/${unknownId}`, 404, 'REQUEST_NOT_FOUND'],
    ['GET', `/requests/${unknownId.toUpperCase()}`, 404, 'REQUEST_NOT_FOUND'],
  ])('when %s %s is called, then %i %s', async (method, path, status, code) => {
    expect(brief(await call(method, path, { token: requester.token }))).toEqual([status, code]);
  });

  test.each([
    ['PUT', '/requests', 'HEAD, GET, POST'],
    ['DELETE', '/me', 'HEAD, GET, PATCH'],
    ['POST', `/requests/${unknownId}`, 'HEAD, GET'],
    ['GET', '/auth/login', 'POST'],
    ['OPTIONS', '/me', 'HEAD, GET, PATCH'],
    ['PUT', '//health', 'HEAD, GET'],
  ])('when %s %s is called, then 405 says what is allowed', async (method, path, allow) => {
    const answer = await call(method, path, { token: requester.token, body: method === 'OPTIONS' ? undefined : {} });
    expect([...brief(answer), answer.headers.allow]).toEqual([405, 'METHOD_NOT_ALLOWED', allow]);
  });

  test('when HEAD is called, then it is GET without a body', async () => {
    const answer = await call('HEAD', '/me', { token: requester.token });
    expect([answer.status, answer.text, answer.headers['content-type']]).toEqual([200, '', 'application/json']);
    const exported = await call('HEAD', '/org/audit/export', { token: admin.token });
    expect([exported.status, exported.text]).toEqual([200, '']);
    expect((await call('HEAD', '/nothing-here')).status).toBe(404);
  });

  test.each(['', 'x'.repeat(256), 'ü'])('when the Idempotency-Key is "%s", then 400', async (key) => {
    expect(brief(await file(good(), { 'idempotency-key': key }))).toEqual([400, 'INVALID_HEADER']);
    await nothingWritten();
  });

  test.each(['no slug', 'UPPER', 'x'.repeat(64), "a' or 1=1"])('when X-Tenant is "%s", then 400', async (tenant) => {
    expect(brief(await call('GET', '/me', { token: requester.token, headers: { 'x-tenant': tenant } }))).toEqual([400, 'INVALID_HEADER']);
  });

  test('when the token is missing, then that is said before anything about the body', async () => {
    const answer = await call('POST', '/requests', { body: '{{{', headers: { 'content-type': 'text/plain' } });
    expect(brief(answer)).toEqual([401, 'INVALID_TOKEN']);
  });

  test.each<[string, string]>([
    ['garbage', 'garbage\r\n\r\n'],
    ['an unknown version', 'GET / HTTP/9.9\r\n\r\n'],
    ['an invalid method', 'B{}D / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['an invalid header', 'GET / HTTP/1.1\r\nHost: x\r\nBad\u0001: x\r\n\r\n'],
    ['two lengths', 'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['a length and chunks', 'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ])('when HTTP itself is broken by %s, then the answer is a problem and the connection ends', async (_, text) => {
    const answer = await raw((socket) => socket.write(text));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('application/problem+json');
    expect(answer).toContain('MALFORMED_REQUEST');
  });

  test('when the headers are too large, then 431', async () => {
    const answer = await raw((socket) => socket.write(`GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`));
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('HEADERS_TOO_LARGE');
  });

  test('when there is no Host header, or a strange one, then the call is served all the same', async () => {
    for (const host of ['', 'Host: \r\n', 'Host: a b\r\n', 'Host: [::1\r\n', 'Host: ü@:99999\r\n']) {
      const answer = await raw((socket) => socket.write(`GET /livez HTTP/1.1\r\n${host}Connection: close\r\n\r\n`));
      expect(answer).toMatch(/^HTTP\/1\.1 (200|400) /);
    }
  });

  test('when a client goes away in the middle of its body, then others are served', async () => {
    await raw((socket) => {
      socket.write(`${head('POST /api/v1/requests HTTP/1.1', 'Content-Type: application/json', 'Content-Length: 1000')}\r\n{"a":`);
      socket.destroySoon();
    });
    expect((await call('GET', '/me', { token: requester.token })).status).toBe(200);
  });
});
