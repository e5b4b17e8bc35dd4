import { z } from 'zod';

/** Who calls, as the gateway (or a service, under its own name) vouches for it towards the services. */
export const principalSchema = z.object({
  /** `user` for people, `service-account` for a tenant's machines, `anonymous` before login, `gateway` and `service` for processes of ours. */
  type: z.enum(['user', 'service-account', 'anonymous', 'gateway', 'service']),
  /** Id of the user (the token's subject) or service account, or the name of the process. */
  id: z.string().min(1),
  /** Of a service account: its name. */
  email: z.string(),
  tenantId: z.string().nullable(),
  tenantSlug: z.string().nullable(),
  audience: z.enum(['app', 'org-admin', 'admin', 'public']),
  orgRoles: z.array(z.string()),
  realmRoles: z.array(z.string()),
  teams: z.array(z.object({ id: z.string(), role: z.enum(['lead', 'member']) })),
  licenseTier: z.string(),
  flags: z.array(z.string()),
  /** `resource:action`: of a person's custom roles, or the scopes of a service account. */
  permissions: z.array(z.string()),
  /** 1: password, 2: a second factor as well. */
  mfaLevel: z.number().int(),
  /** Whether there is a second factor to ask for. */
  mfaEnrolled: z.boolean(),
  /** Whether the tenant demands one of everybody. */
  mfaRequired: z.boolean(),
  riskFlags: z.array(z.string()),
  /** Of a service account: the people who may act as it, and so do not decide on what it asks for. */
  custodianIds: z.array(z.string()),
  sessionId: z.string().nullable(),
});

export type Principal = z.infer<typeof principalSchema>;

const nobody: Omit<Principal, 'type' | 'id'> = {
  email: '',
  tenantId: null,
  tenantSlug: null,
  audience: 'public',
  orgRoles: [],
  realmRoles: [],
  teams: [],
  licenseTier: '',
  flags: [],
  permissions: [],
  mfaLevel: 0,
  mfaEnrolled: false,
  mfaRequired: false,
  riskFlags: [],
  custodianIds: [],
  sessionId: null,
};

/** Someone before login. */
export const anonymous: Principal = { ...nobody, type: 'anonymous', id: 'anonymous' };

/** A process that acts under its own name, within one tenant or none. */
export const processPrincipal = (type: 'gateway' | 'service', id: string, tenantId: string | null = null): Principal => ({
  ...nobody,
  type,
  id,
  tenantId,
});
