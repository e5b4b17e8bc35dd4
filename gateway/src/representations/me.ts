import type { Me } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, id } from '../fields.ts';
import { ownTeamExample, ownTeamJson, ownTeamSchema } from './team.ts';

export const meSchema = z
  .object({
    id: id('The caller.'),
    email: z.string(),
    emailVerified: z.boolean(),
    firstName: z.string(),
    lastName: z.string(),
    tenant: z.object({ id: id('The tenant.'), slug: z.string(), name: z.string() }).nullable(),
    orgRoles: z.array(z.string()),
    realmRoles: z.array(z.string()),
    teams: z.array(ownTeamSchema),
    version: z.int(),
    permissions: z.array(z.string()).openapi({ description: 'What the caller may do with this token, as `resource:action`.' }),
  })
  .openapi('Me');

type MeJson = z.infer<typeof meSchema>;

export const meExample: MeJson = {
  id: exampleId,
  email: 'requester@acme.test',
  emailVerified: true,
  firstName: 'Rosa',
  lastName: 'Requester',
  tenant: { id: '0192f0c1-9999-7b4d-8c6f-2a9d1e4b7c39', slug: 'acme', name: 'Acme Corporation' },
  orgRoles: ['requester'],
  realmRoles: [],
  teams: [ownTeamExample],
  version: 3,
  permissions: ['access_request:create', 'access_request:read', 'catalog:read'],
};

/** The caller as the API shows it. */
export const meJson = (me: Me, permissions: string[]): MeJson => ({
  id: me.id,
  email: me.email,
  emailVerified: me.emailVerified,
  firstName: me.firstName,
  lastName: me.lastName,
  tenant: me.tenant ? { id: me.tenant.id, slug: me.tenant.slug, name: me.tenant.name } : null,
  orgRoles: me.orgRoles,
  realmRoles: me.realmRoles,
  teams: me.teams.map(ownTeamJson),
  version: me.version,
  permissions,
});
