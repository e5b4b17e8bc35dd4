import { createAuthorizer, givable, holderOf, type Question, questionOf, thingOfNobody } from '@accessops/authz';
import { infrastructure } from '@accessops/testing';
import { afterAll, expect, test } from 'vitest';
import { createPermissionCatalogue } from '../src/permission-catalogue.ts';
import { routes } from '../src/routes/index.ts';

const authorizer = createAuthorizer({ address: infrastructure().cerbosAddress, timeoutMs: 10_000 });
afterAll(() => authorizer.close());

const tenantId = 'acme';
const declared = [...new Set(routes.map(({ cerbos }) => `${cerbos.resource}:${cerbos.action}`))].sort();
// Asked by services alone.
const internal = ['access_request:settle', 'audit_event:record', 'principal:resolve'];
const all = [...declared, ...internal];
const catalogue = await createPermissionCatalogue(routes, authorizer).all();
const inCatalogue = catalogue.map(({ permission }) => permission);

/** Everybody's own, said by the plan, or above all tenants: docs/authorization.md tells why. */
const neverGiven = (permission: string) =>
  /^(session|me|dead_letter|principal):/.test(permission) ||
  ['approval:decide', 'approval:list_pending', 'team:list_own'].includes(permission);

test('when a route of a tenant asks for a permission, then it can be given, but for what is everybody’s or nobody’s to give', () => {
  const ofTenants = routes.filter(({ audience }) => audience === 'app' || audience === 'org-admin');
  const wanted = new Set(ofTenants.map(({ cerbos }) => `${cerbos.resource}:${cerbos.action}`));
  expect([...wanted].filter((permission) => !inCatalogue.includes(permission) && !neverGiven(permission))).toEqual([]);
  expect(inCatalogue.filter(neverGiven)).toEqual([]);
});

test('when only platform staff or processes may, then nobody can be given it', async () => {
  const above = routes
    .filter(({ audience }) => audience !== 'app' && audience !== 'org-admin')
    .map(({ cerbos }) => `${cerbos.resource}:${cerbos.action}`);
  const answers = await givable(authorizer, [...above, ...internal]);
  expect(answers.filter(({ toRoles, toServiceAccounts }) => toRoles || toServiceAccounts)).toEqual([]);
});

/** What each permission of the catalogue opens to its holder that is closed without it. */
const openedBy = async (type: 'user' | 'service-account', ask: (permission: string) => Question) => {
  const allowed = (permissions: string[]) => authorizer.allowed(holderOf(permissions, tenantId, type), all.map(ask));
  const without = await allowed([]);
  const opened: Record<string, string[]> = {};
  for (const { permission } of catalogue) {
    const having = await allowed([permission]);
    opened[permission] = all.filter((_, index) => having[index] && !without[index]);
  }
  return { without: all.filter((_, index) => without[index]), opened };
};

const atGateway = (permission: string) => questionOf(permission);
const inServices = (permission: string) => questionOf(permission, thingOfNobody(tenantId));

test.each([
  ['user', 'gateway', atGateway],
  ['user', 'services', inServices],
  ['service-account', 'services', inServices],
] as const)('when a %s has one permission, then in the %s it opens nothing else', async (type, _, ask) => {
  const { opened } = await openedBy(type, ask);
  // Nothing at all is what members have by themselves, and what is an owner's only: a thing of nobody's has none.
  for (const [permission, found] of Object.entries(opened)) expect(found.filter((other) => other !== permission)).toEqual([]);
});

test('when a service account has one scope, then at the gateway it opens that one, and without any nothing is open', async () => {
  const { opened, without } = await openedBy('service-account', atGateway);
  expect(without).toEqual([]);
  expect(opened).toEqual(
    Object.fromEntries(catalogue.map(({ permission, forServiceAccounts }) => [permission, forServiceAccounts ? [permission] : []])),
  );
});

test('when somebody is an admin, then they have everything that can be given', async () => {
  const held = await createPermissionCatalogue(routes, authorizer).ofSystemRole('admin');
  expect(held).toEqual(inCatalogue);
});

test('when a holder comes with the thing of another tenant, of none, or through the platform’s door, then nothing is opened', async () => {
  for (const type of ['user', 'service-account'] as const) {
    const holder = holderOf(inCatalogue, tenantId, type);
    const things = [thingOfNobody('globex'), thingOfNobody(''), {}];
    for (const thing of things) {
      const answers = await authorizer.allowed(
        holder,
        inCatalogue.map((permission) => questionOf(permission, thing)),
      );
      expect(inCatalogue.filter((_, index) => answers[index])).toEqual([]);
    }
    for (const audience of ['admin', 'public'])
      expect(
        (
          await authorizer.allowed(
            { ...holder, audience },
            inCatalogue.map((permission) => questionOf(permission)),
          )
        ).filter(Boolean),
      ).toEqual([]);
    expect(
      (
        await authorizer.allowed(
          { ...holder, tenantId: null },
          inCatalogue.map((permission) => questionOf(permission)),
        )
      ).filter(Boolean),
    ).toEqual([]);
  }
});

test('when an end user’s token is used, then the console stays closed', async () => {
  const holder = { ...holderOf(inCatalogue, tenantId), audience: 'app' };
  const console = catalogue.filter(({ audiences }) => !audiences.includes('app')).map(({ permission }) => permission);
  expect(
    (
      await authorizer.allowed(
        holder,
        console.map((permission) => questionOf(permission)),
      )
    ).filter(Boolean),
  ).toEqual([]);
});

test('when a machine claims roles, teams and every permission, then it decides on nothing', async () => {
  const machine = {
    ...holderOf([...all, 'approval:*'], tenantId, 'service-account'),
    orgRoles: ['admin', 'approver'],
    teams: [{ id: 'team', role: 'lead' }],
  };
  const request = { tenantId, requesterId: 'somebody', custodianIds: [], stageRoles: ['approver', 'admin'], stageTeams: ['team'] };
  const questions = [questionOf('approval:decide', request), questionOf('approval:decide'), questionOf('access_request:settle', request)];
  expect(await authorizer.allowed(machine, questions)).toEqual([false, false, false]);
});
