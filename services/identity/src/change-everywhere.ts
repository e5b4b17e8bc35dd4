import { noTenant } from '@accessops/db';
import { emit, type WriteContext } from '@accessops/events';
import { UserUpdatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Account } from './account.ts';
import type { Changes } from './changes.ts';

interface UserRow {
  tenant_id: string;
  active: boolean;
  org_roles: string[];
  version: number;
  team_ids: string[];
}

/**
 * Carries an account's address, and whether it is verified, over to the person's users in all tenants, and tells of it in each; in the
 * platform's log when there is none. Call after the account was flushed; needs a transaction across tenants.
 */
export const changeEverywhere = async (ctx: WriteContext, account: Account, action: string, changes: Changes): Promise<void> => {
  const { id, email, verified } = account;
  const rows = await ctx.em.execute<UserRow[]>(
    `update app_user u set email = ?, verified = ?, version = version + 1, updated_at = ? where id = ?
     returning tenant_id, active, org_roles, version, (select coalesce(jsonb_agg(m.team_id order by m.team_id), '[]')
       from team_member m where m.tenant_id = u.tenant_id and m.user_id = u.id) as team_ids`,
    [email, verified, ctx.now(), id],
  );
  const nowhere: UserRow = { tenant_id: noTenant, active: account.active, org_roles: [], version: account.version, team_ids: [] };
  for (const row of rows.length > 0 ? rows : [nowhere]) {
    const user = { id, email, active: row.active, orgRoles: row.org_roles, teamIds: row.team_ids, version: row.version };
    emit({ ...ctx, tenantId: row.tenant_id }, UserUpdatedSchema, { user }, id, { action, entityType: 'USER', entityId: id, changes });
  }
};
