import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Call, type Item, type Person, startWorld, type World } from './world.ts';

const cyrillicA = '\u0430';
const turned = 'prod\u202ebd-gnigats';

describe('names and addresses', () => {
  let world: World;
  let call: Call;
  let admin: Person;
  let slug: string;
  let type: Item;
  beforeAll(async () => {
    world = await startWorld();
    call = world.call;
    ({ admin, slug } = await world.organization());
    type = (await call('POST', '/org/resource-types', { token: admin.token, body: newType('Db') })).body as Item;
  });
  afterAll(() => world.close());

  const newType = (name: string) => ({
    key: `t-${randomUUID()}`,
    name,
    connector: 'simulated',
    roles: ['reader'],
    sensitivity: 'low',
    maxDuration: 'P1D',
  });
  const person = (names: object) => ({
    email: `${randomUUID()}@names.test`,
    firstName: 'Una',
    lastName: 'User',
    password: 'quarry lamp seven bridges',
    orgRoles: [],
    ...names,
  });
  const pointersOf = ({ body }: Answer) => [...new Set(body.errors?.map(({ pointer }) => pointer))];

  const named: [string, string, string, (name: string) => unknown][] = [
    ['a user', 'POST /org/users', '/firstName', (firstName) => person({ firstName })],
    ['a user’s last name', 'POST /org/users', '/lastName', (lastName) => person({ lastName })],
    ['oneself', 'PATCH /me', '/lastName', (lastName) => ({ lastName })],
    ['the organisation', 'PATCH /org/tenant', '/name', (name) => ({ name })],
    ['a team', 'POST /org/teams', '/name', (name) => ({ name })],
    ['a role', 'POST /org/roles', '/name', (name) => ({ name, permissions: [] })],
    ['a service account', 'POST /org/service-accounts', '/name', (name) => ({ name, scopes: [] })],
    ['a resource type', 'POST /org/resource-types', '/name', newType],
    ['a resource', 'POST /org/resources', '/name', (name) => ({ key: `r-${randomUUID()}`, name, resourceTypeId: type.id })],
  ];

  test.each(named)(
    'when %s has a name that is too long, deceives or breaks the line, then 422 names the field',
    async (_, route, pointer, bodyOf) => {
      const [method = '', path = ''] = route.split(' ');
      const wrong = ['x'.repeat(10_000), '', ' \t', `${cyrillicA}dmin`, turned, 'in\u200bvisible', 'A\r\nBcc: all@acme.test', 'nul\0'];
      for (const name of wrong) {
        const answer = await call(method, path, { token: admin.token, body: bodyOf(name) });
        expect([name.slice(0, 20), answer.status, pointersOf(answer)]).toEqual([name.slice(0, 20), 422, [pointer]]);
      }
      const fine = await call(method, path, { token: admin.token, body: bodyOf(`\u0410\u043d\u043d\u0430 ${randomUUID()}`) });
      expect([200, 201]).toContain(fine.status);
    },
  );

  test.each([
    ['a user', 'POST /org/users', (email: string) => person({ email })],
    ['an invitation', 'POST /org/invitations', (email: string) => ({ email, orgRoles: ['requester'] })],
    ['a change of address', 'POST /me/email', (email: string) => ({ email })],
    ['a wish for a new password', 'POST /auth/password-reset', (email: string) => ({ email })],
  ])('when the address of %s is none, has look-alikes or holds headers, then 422 names it', async (_, route, bodyOf) => {
    const [method = '', path = ''] = route.split(' ');
    const wrong = [
      `${cyrillicA}da@names.test`,
      `ada@n${cyrillicA}mes.test`,
      'ada@names.test\r\nBcc: everybody@acme.test',
      'ada@names.test, bob@names.test',
      '"Ada" <ada@names.test>',
      `${'a'.repeat(10_000)}@names.test`,
      'ada',
    ];
    for (const email of wrong) {
      const answer = await call(method, path, { ...(path.startsWith('/auth') ? {} : { token: admin.token }), body: bodyOf(email) });
      expect([email.slice(0, 30), answer.status, pointersOf(answer)]).toEqual([email.slice(0, 30), 422, ['/email']]);
    }
  });

  test('when an organisation wants a slug or a domain in use, or one that looks like it, then it is refused and not made', async () => {
    const domain = `${slug}.test`;
    expect((await call('PATCH', '/org/tenant', { token: admin.token, body: { domain } })).status).toBe(200);
    const register = (organization: object) =>
      call('POST', '/auth/register', {
        body: { email: `${randomUUID()}@names.test`, password: 'quarry lamp seven bridges', firstName: 'A', lastName: 'B', organization },
      });
    const brief = ({ status, body }: Answer) => [status, body.error?.code];
    expect(brief(await register({ name: 'O', slug }))).toEqual([409, 'SLUG_TAKEN']);
    expect(brief(await register({ name: 'O', slug: `${slug.slice(0, 30)}-2`, domain }))).toEqual([409, 'DOMAIN_TAKEN']);
    for (const [organization, pointer] of [
      [{ name: 'O', slug: `${cyrillicA}cme-corp` }, '/organization/slug'],
      [{ name: 'O', slug: slug.toUpperCase() }, '/organization/slug'],
      [{ name: 'O', slug: randomUUID() }, '/organization/slug'],
      [{ name: 'O', slug: `${slug.slice(0, 30)}-3`, domain: `${cyrillicA}${domain}` }, '/organization/domain'],
    ] as const) {
      const answer = await register(organization);
      expect([answer.status, pointersOf(answer)]).toEqual([422, [pointer]]);
    }
  });
});
