import { newApiKey } from '@accessops/authn';
import type { Authorizer } from '@accessops/authz';
import { newId } from '@accessops/db';
import { invalidField } from '@accessops/errors';
import { emit } from '@accessops/events';
import { ApiKeyChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { CreateApiKeyRequest, RotateApiKeyRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { type Timestamp, timestampDate } from '@bufbuild/protobuf/wkt';
import { assertMayGive, lockGiver } from '../giver.ts';
import { ApiKey } from './api-key.ts';
import { findApiKey, lockServiceAccount } from './find-service-account.ts';
import type { ServiceAccount } from './service-account.ts';
import { snapshotOfAccount } from './snapshot-of-account.ts';

const dayMs = 24 * 3_600_000;
const usualMs = 90 * dayMs;
const longestMs = 366 * dayMs;
const longestOverlapSeconds = 30 * 24 * 3600;

/** When a key is to end. Errors: INVALID_FIELDS at /expiresAt. */
export const parseExpiry = (expiresAt: Timestamp | undefined, now: Date): Date => {
  if (!expiresAt) return new Date(now.getTime() + usualMs);
  const time = timestampDate(expiresAt);
  if (!(time > now && time.getTime() <= now.getTime() + longestMs)) throw invalidField('/expiresAt', 'must be within the next 366 days');
  return time;
};

/** A key with its secret, which is told once. */
export interface NewApiKey {
  row: ApiKey;
  key: string;
}

/** Who has a key of an account can do all that the account may: it is handed out by those only who have as much themselves. */
const lockAccountToGive = async (ctx: Ctx, authorizer: Authorizer, id: string): Promise<ServiceAccount> => {
  const giver = await lockGiver(ctx);
  const account = await lockServiceAccount(ctx.em, id);
  await assertMayGive(ctx, authorizer, giver, { permissions: account.scopes });
  return account;
};

const add = ({ em, tenantId, principal }: Ctx, account: ServiceAccount, expiresAt: Timestamp | undefined, now: Date): NewApiKey => {
  const id = newId();
  const { key, hash } = newApiKey(id);
  const times = { createdAt: now, expiresAt: parseExpiry(expiresAt, now), lastUsedAt: null };
  const holderIds = [...new Set([principal.id, account.ownerId])];
  const row = em.create(ApiKey, { id, tenantId, serviceAccountId: account.id, hash, holderIds, ...times });
  account.touch(now);
  return { row, key };
};

/** Makes a key of a service account. Errors: SERVICE_ACCOUNT_NOT_FOUND, INVALID_FIELDS, CANNOT_GIVE. */
export const createApiKey = async (
  ctx: Ctx,
  authorizer: Authorizer,
  { serviceAccountId, expiresAt }: CreateApiKeyRequest,
): Promise<NewApiKey> => {
  const account = await lockAccountToGive(ctx, authorizer, serviceAccountId);
  const made = add(ctx, account, expiresAt, ctx.now());
  await ctx.em.flush();
  emit(ctx, ApiKeyChangedSchema, { serviceAccountId: account.id, account: await snapshotOfAccount(ctx.em, account) }, account.id, {
    action: 'API_KEY_CREATED',
    entityType: 'API_KEY',
    entityId: made.row.id,
    changes: { serviceAccountId: { after: account.id }, expiresAt: { after: made.row.expiresAt } },
  });
  return made;
};

/**
 * Makes a key in place of another, which is good for the overlap still, so that the machine can take the new one in its own time.
 * Errors: SERVICE_ACCOUNT_NOT_FOUND, API_KEY_NOT_FOUND, INVALID_FIELDS, CANNOT_GIVE.
 */
export const rotateApiKey = async (
  ctx: Ctx,
  authorizer: Authorizer,
  { serviceAccountId, keyId, expiresAt, overlapSeconds }: RotateApiKeyRequest,
): Promise<NewApiKey> => {
  if (overlapSeconds < 0 || overlapSeconds > longestOverlapSeconds) throw invalidField('/overlap', 'must be at most 30 days');
  const account = await lockAccountToGive(ctx, authorizer, serviceAccountId);
  const old = await findApiKey(ctx.em, account, keyId);
  const before = old.expiresAt;
  const now = ctx.now();
  old.endBy(new Date(now.getTime() + overlapSeconds * 1000));
  const made = add(ctx, account, expiresAt, now);
  await ctx.em.flush();
  emit(
    ctx,
    ApiKeyChangedSchema,
    { serviceAccountId: account.id, keyId: old.id, account: await snapshotOfAccount(ctx.em, account) },
    account.id,
    {
      action: 'API_KEY_ROTATED',
      entityType: 'API_KEY',
      entityId: made.row.id,
      changes: {
        serviceAccountId: { after: account.id },
        expiresAt: { after: made.row.expiresAt },
        replaces: { after: old.id },
        expiresAtOfReplaced: { before, after: old.expiresAt },
      },
    },
  );
  return made;
};
