import { AppError, type Code } from '@accessops/errors';
import { emit } from '@accessops/events';
import { CredentialReadSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Call, Ctx } from '@accessops/service';
import { findGrant } from '../grants/find-grant.ts';
import type { Sealed, Vault } from './vault.ts';

const find = `
  select key_id as "keyId", data_key as "dataKey", iv, ciphertext, tag from credential
  where grant_id = ? and read_at is null and ciphertext is not null`;

// Of two readers, the second waits for the first and then finds nothing to wipe; nor does who has opened what was replaced meanwhile.
const wipe = `
  update credential set read_at = ?, key_id = null, data_key = null, iv = null, ciphertext = null, tag = null
  where grant_id = ? and read_at is null and iv = ? and tag = ?
    and exists (select from access_grant where id = grant_id and status = 'ACTIVE' and expires_at > ?)
  returning 1`;

const whyNot = `
  select case
    when credential.read_at is not null then 'CREDENTIAL_ALREADY_READ'
    when access_grant.status <> 'ACTIVE' or access_grant.expires_at <= ? then 'GRANT_NOT_ACTIVE'
    when credential.ciphertext is not null or exists (select from job where job.grant_id = access_grant.id and kind in ('ROTATE', 'REAPPLY') and job.status in ('QUEUED', 'RUNNING'))
      then 'CREDENTIAL_BEING_REISSUED'
    else 'CREDENTIAL_LOST'
  end as code from access_grant join credential on grant_id = access_grant.id where access_grant.id = ?`;

const refusal = async ({ em, now }: Ctx, grantId: string): Promise<AppError> => {
  const [why] = await em.execute<{ code: Code }[]>(whyNot, [now(), grantId]);
  return new AppError(why?.code ?? 'GRANT_NOT_ACTIVE');
};

/**
 * Hands the credential of an active grant to its holder, as JSON text made ready by `finish`, and forgets it. It is opened and made ready
 * between two transactions: keys may have to be asked for. Nobody gets it before the second has committed.
 * Errors: GRANT_NOT_FOUND, PERMISSION_DENIED, CREDENTIAL_ALREADY_READ, CREDENTIAL_BEING_REISSUED, CREDENTIAL_LOST, GRANT_NOT_ACTIVE,
 * DEPENDENCY_UNAVAILABLE.
 */
export const readCredential = async <T>(call: Call, vault: Vault, grantId: string, finish: (text: string) => Promise<T>): Promise<T> => {
  const { requestId, sealed } = await call.read(async (ctx) => {
    const grant = await findGrant(ctx, grantId, 'read_credential');
    const [sealed] = grant.isUsable(ctx.now()) ? await ctx.em.execute<Sealed[]>(find, [grantId]) : [];
    if (!sealed) throw await refusal(ctx, grantId);
    return { requestId: grant.requestId, sealed };
  });
  const answer = await finish(await vault.open(sealed, grantId));
  await call.write(async (ctx) => {
    const now = ctx.now();
    const wiped = await ctx.em.execute<unknown[]>(wipe, [now, grantId, sealed.iv, sealed.tag, now]);
    if (wiped.length === 0) throw await refusal(ctx, grantId);
    emit(ctx, CredentialReadSchema, { grantId }, requestId, { action: 'CREDENTIAL_READ', entityType: 'GRANT', entityId: grantId });
  });
  return answer;
};
