import { ServiceAccountDeletedSchema, TeamDeletedSchema, UserUpdatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { outcomes, type Person, requestFields, Suite, Tenant } from './suite.ts';

let suite: Suite;
let tenant: Tenant;
let admin: Person;
beforeAll(async () => {
  suite = await Suite.start();
  tenant = new Tenant(suite);
  admin = await tenant.admin;
});
afterAll(() => suite.stop());

const statusOf = async ({ id }: { id: string }) => (await suite.client.getRequest({ id }, admin)).status;

describe('requests that nobody can decide on any more', () => {
  const removeTeam = (teamId: string) =>
    suite.tell('identity', TeamDeletedSchema, { teamId }, { tenantId: tenant.id, aggregateId: teamId });
  /** Personal data of a team: the team decides, and an admin. */
  const owned = async (owningTeamId: string) => tenant.resource(await tenant.type({ pii: true }), { owningTeamId });
  const file = (who: Person, resource: { id: string }) => suite.client.submitRequest(requestFields(resource), who);

  test('when the team that has to decide is deleted, then what waits for it is LAPSED, and the next one goes to others', async () => {
    const [requester, teamId] = [await tenant.person(['requester']), await tenant.team()];
    const resource = await owned(teamId);
    const [waiting, other] = [await file(requester, resource), await tenant.pending(requester)];
    expect(waiting.stages.map((stage) => stage.teamId)).toContain(teamId);
    await removeTeam(teamId);
    await suite.settled();
    expect([await statusOf(waiting), await statusOf(other)]).toEqual(['LAPSED', 'PENDING']);
    expect((await suite.toldOf(waiting.id)).at(-1)).toMatchObject({
      type: 'RequestClosed',
      action: 'REQUEST_LAPSED',
      actor: { id: 'requests', type: 'system' },
      changes: { status: { before: 'PENDING', after: 'LAPSED' } },
    });
    const next = await file(requester, resource);
    expect(next.stages.map((stage) => stage.teamId)).not.toContain(teamId);
  });

  test('when somebody files while the team is deleted, then nothing is left that waits for it, twenty times', async () => {
    for (let trial = 0; trial < 20; trial++) {
      const [requester, teamId] = [await tenant.person(['requester']), await tenant.team()];
      const resource = await owned(teamId);
      const [[outcome]] = await Promise.all([outcomes([file(requester, resource)]), removeTeam(teamId)]);
      expect(outcome).toBe('OK');
      await suite.settled();
      const { rows } = await suite.admin.query<{ status: string; waits: boolean }>(
        'select status, stages::text like $2 as waits from access_request where resource_id = $1',
        [resource.id, `%${teamId}%`],
      );
      expect(rows).toEqual([rows[0]?.waits ? { status: 'LAPSED', waits: true } : { status: 'PENDING', waits: false }]);
    }
  });
});

describe('requests of somebody who is gone', () => {
  const tellUser = ({ id, email }: Person, active: boolean, occurredAt?: Date) =>
    suite.tell('identity', UserUpdatedSchema, { user: { id, email, active } }, { tenantId: tenant.id, aggregateId: id, occurredAt });

  test('when the requester is deactivated, then what waits is LAPSED, and what was decided and what others file goes on', async () => {
    const [requester, other] = [await tenant.person(['requester']), await tenant.person(['requester'])];
    const [waiting, approved, theirs] = [await tenant.pending(requester), await tenant.pending(requester), await tenant.pending(other)];
    await suite.client.settleRequest({ id: approved.id, outcome: 'APPROVED' }, await tenant.approvals());
    await tellUser(other, true);
    await tellUser(requester, false);
    await suite.settled();
    expect(await Promise.all([waiting, approved, theirs].map(statusOf))).toEqual(['LAPSED', 'APPROVED', 'PENDING']);
    expect((await suite.actionsOf(waiting.id)).at(-1)).toBe('REQUEST_LAPSED');
  });

  test('when that is told after they are back and have filed again, then what is new waits on', async () => {
    const requester = await tenant.person(['requester']);
    const before = await tenant.pending(requester);
    const deactivatedAt = new Date();
    const after = await tenant.pending(requester);
    await tellUser(requester, false, deactivatedAt);
    await suite.settled();
    expect(await Promise.all([before, after].map(statusOf))).toEqual(['LAPSED', 'PENDING']);
  });

  test('when a service account is deleted, then what it waits for is LAPSED', async () => {
    const account = await tenant.person([], { type: 'service-account', permissions: ['access_request:create'] });
    const waiting = await tenant.pending(account);
    const gone = { serviceAccountId: account.id, version: 2 };
    await suite.tell('identity', ServiceAccountDeletedSchema, gone, { tenantId: tenant.id, aggregateId: account.id });
    await suite.settled();
    expect(await statusOf(waiting)).toBe('LAPSED');
  });
});
