import { beforeAll, describe, expect, inject, test } from 'vitest';
import { type Answer, call, codeOf, type Item, listAll, type Person, Tenant } from './client.ts';

const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

describe('bad input', () => {
  let tenant: Tenant;
  let requester: Person;
  let resource: Item;

  beforeAll(async () => {
    tenant = await Tenant.create('bad');
    requester = await tenant.person('requester', ['requester']);
    resource = await tenant.resource((await tenant.type()).id);
  });

  const good = () => ({ resourceId: resource.id, role: 'reader', justification: 'fine', duration: 'PT1H' });
  const problem = (answer: Answer) => {
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({
      status: answer.status,
      type: expect.any(String),
      title: expect.any(String),
      requestId: answer.headers.get('x-request-id'),
    });
    expect(codeOf(answer)).toMatch(/^[A-Z][A-Z0-9_]+$/);
  };
  const pointers = (answer: Answer) => ((answer.body.errors ?? []) as { pointer: string }[]).map(({ pointer }) => pointer);

  test.each<[string, Record<string, unknown>, string]>([
    ['an unknown field', { colour: 'red' }, '/colour'],
    ['a tenant', { tenantId: '0190a0a0-0000-7000-8000-000000000000' }, '/tenantId'],
    ['a status', { status: 'ACTIVE' }, '/status'],
    ['a requester', { requesterId: '0190a0a0-0000-7000-8000-000000000000' }, '/requesterId'],
    ['org roles', { orgRoles: ['admin'] }, '/orgRoles'],
    ['a number for a role', { role: 7 }, '/role'],
    ['a role that the type has not', { role: 'owner' }, '/role'],
    ['an array for a text', { justification: ['x'] }, '/justification'],
    ['an empty justification', { justification: '  ' }, '/justification'],
    ['a NUL byte', { justification: 'a\u0000b' }, '/justification'],
    ['a lone surrogate', { justification: 'a\ud800b' }, '/justification'],
    ['no UUID', { resourceId: "1' or '1'='1" }, '/resourceId'],
    ['a duration of zero', { duration: 'PT0S' }, '/duration'],
    ['a negative duration', { duration: '-PT1H' }, '/duration'],
    ['no duration at all', { duration: 'soon' }, '/duration'],
    ['a duration beyond the maximum', { duration: 'P3650D' }, '/duration'],
    ['months', { duration: 'P1M' }, '/duration'],
    ['parameters nobody asked for', { parameters: { a: 1 } }, '/parameters'],
  ])('when a request has %s, then 422 names the field and nothing is written', async (_, fields, pointer) => {
    const answer = await call('POST', '/requests', { token: requester.token, body: { ...good(), ...fields } });
    expect(answer.status).toBe(422);
    problem(answer);
    expect(pointers(answer).some((found) => found.startsWith(pointer))).toBe(true);
    expect(await listAll('/requests/me', requester.token)).toEqual([]);
  });

  test.each<[string, string | Uint8Array, number, string]>([
    ['is cut off', '{"resourceId":', 400, 'MALFORMED_JSON'],
    ['is no object', '[1,2]', 422, 'INVALID_FIELDS'],
    ['is null', 'null', 422, 'INVALID_FIELDS'],
    ['is not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), 400, 'MALFORMED_JSON'],
    ['is deep', deep(10_000), 400, 'MALFORMED_JSON'],
    ['is 10 MB', JSON.stringify({ justification: 'x'.repeat(10_000_000) }), 413, 'BODY_TOO_LARGE'],
    ['pollutes prototypes', '{"__proto__":{"admin":true},"role":"reader"}', 422, 'INVALID_FIELDS'],
    ['pollutes by constructor', '{"constructor":{"prototype":{"admin":true}}}', 422, 'INVALID_FIELDS'],
  ])('when a body %s, then it is refused as a problem', async (_, body, status, code) => {
    const answer = await call('POST', '/requests', { token: requester.token, body });
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    problem(answer);
  });

  test('when a body is chunked and too large, then it is refused without being read to its end', async () => {
    const end = 1024 * 1024 * 1024;
    let sent = 0;
    const stream = new ReadableStream({
      pull(controller) {
        sent += 65_536;
        if (sent > end) controller.close();
        else controller.enqueue(Buffer.alloc(65_536, 0x20));
      },
    });
    const response = await fetch(`${inject('url')}/api/v1/requests`, {
      method: 'POST',
      headers: { authorization: `Bearer ${requester.token}`, 'content-type': 'application/json' },
      body: stream,
      duplex: 'half',
    }).catch(() => undefined);
    expect(response?.status ?? 413).toBe(413);
    // For a moment what still comes is thrown away: whoever sends it is to see the answer.
    expect(sent).toBeLessThan(end / 4);
  });

  test('when the content type is not JSON, then 415', async () => {
    const answer = await call('POST', '/requests', {
      token: requester.token,
      body: 'a=1',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect([answer.status, codeOf(answer)]).toEqual([415, 'NOT_JSON']);
    problem(answer);
  });

  test.each([
    ['SQL in a filter value', "filter[status][eq]=x' or 1=1 --", 200],
    ['SQL in a filter name', 'filter[status;drop table x][eq]=1', 400],
    ['an unknown field', 'filter[nope][eq]=1', 400],
    ['an inherited name', 'filter[__proto__][eq]=1', 400],
    ['an unknown operator', 'filter[status][regex]=.*', 400],
    ['no UUID for an id', 'filter[id][eq]=7', 400],
    ['no time for a time', 'filter[createdAt][gte]=yesterday', 400],
    ['an unknown sort key', 'sort=nope', 400],
    ['a forged cursor', 'cursor=eyJhIjoxfQ', 400],
    ['a negative limit', 'limit=-1', 400],
    ['a limit that is no number', 'limit=many', 400],
  ])('when a list is asked with %s, then it answers %s: %i', async (_, query, status) => {
    const answer = await call('GET', `/requests/me?${query.replaceAll(' ', '%20')}`, { token: requester.token });
    expect(answer.status).toBe(status);
    if (status !== 200) problem(answer);
  });

  test('when the limit is above 200, then it means 200', async () => {
    expect((await call('GET', '/requests/me?limit=5000', { token: requester.token })).status).toBe(200);
  });

  test.each([
    ['GET', '/nothing-here', 404, 'ROUTE_NOT_FOUND'],
    ['PUT', '/requests', 405, 'METHOD_NOT_ALLOWED'],
    ['GET', '/requests/not-an-id', 400, 'INVALID_PARAMETER'],
    ['GET', '/requests/0190a0a0-0000-7000-8000-000000000000', 404, 'REQUEST_NOT_FOUND'],
  ])('when %s %s is called, then %i', async (method, path, status, code) => {
    const answer = await call(method, path, { token: requester.token, ...(method === 'PUT' ? { body: {} } : {}) });
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    problem(answer);
  });
});
