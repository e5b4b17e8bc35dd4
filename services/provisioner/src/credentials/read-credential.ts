import { AppError, type Code } from '@accessops/errors';
import { emit } from '@accessops/events';
import { CredentialReadSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { findGrant } from '../grants/find-grant.ts';
import type { Sealed, Vault } from './vault.ts';

// One statement that reads and wipes: of two readers, the second waits for the first and then finds nothing to read.
const take = `
  with sealed as materialized (
    select grant_id, key_id, data_key, iv, ciphertext, tag from credential
    where grant_id = ? and read_at is null and ciphertext is not null for update
  )
  update credential set read_at = ?, key_id = null, data_key = null, iv = null, ciphertext = null, tag = null
  from sealed where credential.grant_id = sealed.grant_id
  returning sealed.key_id as "keyId", sealed.data_key as "dataKey", sealed.iv, sealed.ciphertext, sealed.tag`;

const whyNot = `
  select case
    when credential.read_at is not null then 'CREDENTIAL_ALREADY_READ'
    when access_grant.status <> 'ACTIVE' or access_grant.expires_at <= ? then 'GRANT_NOT_ACTIVE'
    when exists (select from job where job.grant_id = access_grant.id and kind in ('ROTATE', 'REAPPLY') and job.status in ('QUEUED', 'RUNNING'))
      then 'CREDENTIAL_BEING_REISSUED'
    else 'CREDENTIAL_LOST'
  end as code from access_grant join credential on grant_id = access_grant.id where access_grant.id = ?`;

/**
 * Hands the credential of an active grant to its holder, as JSON text, and forgets it.
 * Errors: GRANT_NOT_FOUND, PERMISSION_DENIED, CREDENTIAL_ALREADY_READ, CREDENTIAL_BEING_REISSUED, CREDENTIAL_LOST, GRANT_NOT_ACTIVE.
 */
export const readCredential = async (ctx: Ctx, vault: Vault, grantId: string): Promise<string> => {
  const grant = await findGrant(ctx, grantId, 'read_credential');
  const now = ctx.now();
  const [sealed] = grant.isUsable(now) ? await ctx.em.execute<Sealed[]>(take, [grantId, now]) : [];
  if (!sealed) {
    const [why] = await ctx.em.execute<{ code: Code }[]>(whyNot, [now, grantId]);
    throw new AppError(why?.code ?? 'GRANT_NOT_ACTIVE');
  }
  emit(ctx, CredentialReadSchema, { grantId }, grant.requestId, {
    action: 'CREDENTIAL_READ',
    entityType: 'GRANT',
    entityId: grantId,
  });
  return vault.open(sealed, grantId);
};
