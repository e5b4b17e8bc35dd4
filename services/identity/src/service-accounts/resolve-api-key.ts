import { timingSafeEqual } from 'node:crypto';
import { AppError } from '@accessops/errors';
import type { ResolveApiKeyRequest, ResolvedApiKeySchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { Pool } from 'pg';
import type { TenantStatus } from '../tenant.ts';
import { isId } from '../text.ts';
import { tenantToProto } from '../to-proto.ts';

interface Row {
  hash: Buffer;
  expires_at: string;
  last_used_at: string | null;
  account_id: string;
  account_name: string;
  scopes: string[];
  tenant_id: string;
  slug: string;
  name: string;
  domain: string;
  status: TenantStatus;
  version: number;
  created_at: string;
  custodian_ids: string[];
}

const read = async (pool: Pool, keyId: string, now: Date): Promise<Row | undefined> => {
  const { rows } = await pool.query<Row>({
    name: 'resolve-api-key',
    text: 'select * from resolve_api_key($1, $2)',
    values: [keyId, now],
  });
  return rows[0];
};

const isSame = (stored: Buffer, presented: Uint8Array): boolean => stored.length === presented.length && timingSafeEqual(stored, presented);

// A key has one tenant only: any of its own is that one.
const anyTenant = '*';

const noteEveryMs = 60_000;

/** Whose key it is; notes at most once a minute that it was used. Errors: INVALID_API_KEY, NOT_A_MEMBER, TENANT_SUSPENDED. */
export const resolveApiKey = async (
  pool: Pool,
  now: Date,
  { keyId, hash, tenant: named }: ResolveApiKeyRequest,
): Promise<MessageInitShape<typeof ResolvedApiKeySchema>> => {
  const row = isId(keyId) ? await read(pool, keyId, now) : undefined;
  if (!row || !isSame(row.hash, hash)) throw new AppError('INVALID_API_KEY');
  if (named !== '' && named !== anyTenant && named !== row.slug) throw new AppError('NOT_A_MEMBER');
  if (row.status === 'SUSPENDED') throw new AppError('TENANT_SUSPENDED');
  if (!row.last_used_at || now.getTime() - new Date(row.last_used_at).getTime() >= noteEveryMs)
    await pool.query('select touch_api_key($1, $2)', [keyId, now]);
  return {
    principal: {
      id: row.account_id,
      email: row.account_name,
      tenant: tenantToProto({ ...row, id: row.tenant_id, createdAt: new Date(row.created_at) }),
      permissions: row.scopes,
      custodianIds: row.custodian_ids,
    },
    expiresAt: timestampFromDate(new Date(row.expires_at)),
  };
};
