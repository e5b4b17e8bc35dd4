import { AppError } from '@accessops/errors';
import type { ResolvedPrincipalSchema, ResolvePrincipalRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Pool } from 'pg';
import type { Audience } from './session.ts';
import type { Settings } from './settings/settings.ts';
import type { TenantStatus } from './tenant.ts';
import { isId } from './text.ts';
import { tenantToProto } from './to-proto.ts';

interface Row {
  email: string;
  account_active: boolean;
  realm_roles: string[];
  audience: Audience;
  tenant_id: string | null;
  slug: string;
  name: string;
  domain: string;
  status: TenantStatus;
  version: number;
  created_at: string;
  user_active: boolean | null;
  org_roles: string[];
  teams: { id: string; name: string; role: string }[];
  license_tier: string | null;
  flags: string[] | null;
  permissions: string[];
  mfa_enrolled: boolean;
  /** What an outside provider's tokens tell of a second factor cannot be changed: whether it still counts is said here. */
  mfa_lapsed: boolean;
  /** JSON; null where nobody has set it. */
  require_mfa: string | null;
}

/** What resolving works with. */
export interface ResolveParts {
  pool: Pool;
  settings: Pick<Settings, 'valueFrom'>;
}

const read = async (pool: Pool, values: unknown[]): Promise<Row | undefined> => {
  const { rows } = await pool.query<Row>({
    name: 'resolve-principal',
    text: `select found.*, entitled.*, resolve_permissions(found.tenant_id, $1) as permissions,
                  exists (select 1 from totp where account_id = $1 and confirmed_at is not null) as mfa_enrolled,
                  second_factor_lapsed($2, $5) as mfa_lapsed,
                  stored_setting(found.tenant_id, 'security.require-mfa') as require_mfa
             from resolve_principal($1, $2, $3, $4, $5) found left join lateral entitlements(found.tenant_id) entitled on true`,
    values,
  });
  return rows[0];
};

const tenantOf = (row: Row): MessageInitShape<typeof ResolvedPrincipalSchema>['tenant'] =>
  row.tenant_id === null ? undefined : tenantToProto({ ...row, id: row.tenant_id, createdAt: new Date(row.created_at) });

const resolveIn = async (
  { pool, settings }: ResolveParts,
  now: Date,
  { subject, sessionId, organizations, tenant: named }: ResolvePrincipalRequest,
): Promise<MessageInitShape<typeof ResolvedPrincipalSchema>> => {
  const isForeign = named !== '' && !organizations.includes(named);
  const ids = isId(subject) && isId(sessionId);
  const row = ids ? await read(pool, [subject, sessionId, organizations, isForeign ? '' : named, now]) : undefined;
  if (!row) throw new AppError('SESSION_ENDED');
  if (!row.account_active) throw new AppError('USER_INACTIVE');
  if (isForeign) throw new AppError('NOT_A_MEMBER');
  if (row.tenant_id === null && organizations.length > 1) throw new AppError('TENANT_REQUIRED');
  if (row.tenant_id !== null || organizations.length > 0) {
    if (row.user_active === null) throw new AppError('NOT_A_MEMBER');
    if (!row.user_active) throw new AppError('USER_INACTIVE');
    if (row.status === 'SUSPENDED') throw new AppError('TENANT_SUSPENDED');
  }
  return {
    id: subject,
    email: row.email,
    tenant: tenantOf(row),
    orgRoles: row.org_roles ?? [],
    realmRoles: row.audience === 'admin' ? row.realm_roles : [],
    teams: row.teams,
    licenseTier: row.license_tier ?? '',
    flags: row.flags ?? [],
    permissions: row.permissions,
    mfaEnrolled: row.mfa_enrolled,
    mfaLapsed: row.mfa_lapsed,
    mfaRequired: settings.valueFrom('security.require-mfa', row.require_mfa),
  };
};

/** Stands for any tenant of the token, for what concerns the person alone. */
const anyTenant = '*';

/**
 * What the gateway must know of a verified token, as it is now, in one round trip. The tenant is the one named (of those in the token),
 * else the session's, else the token's only one; `*` takes the first that lets the person in. Platform roles count in sessions for the
 * platform console only, as in tokens. Errors: SESSION_ENDED, USER_INACTIVE, NOT_A_MEMBER, TENANT_REQUIRED, TENANT_SUSPENDED.
 */
export const resolvePrincipal = async (
  parts: ResolveParts,
  now: Date,
  request: ResolvePrincipalRequest,
): Promise<MessageInitShape<typeof ResolvedPrincipalSchema>> => {
  if (request.tenant !== anyTenant) return resolveIn(parts, now, request);
  const slugs = request.organizations.length > 1 ? request.organizations : [''];
  let refusal: unknown;
  for (const tenant of slugs) {
    try {
      return await resolveIn(parts, now, { ...request, tenant });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      refusal = error;
    }
  }
  throw refusal;
};
