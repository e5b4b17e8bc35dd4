import type { OwnTenant } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, id } from '../fields.ts';

export const ownTenantSchema = z
  .object({
    id: id('The tenant.'),
    slug: z.string().openapi({ description: 'For `X-Tenant`, and for `tenant` at sign-in.' }),
    name: z.string(),
    status: z.enum(['ACTIVE', 'SUSPENDED']),
    orgRoles: z.array(z.string()).openapi({ description: "The caller's roles there." }),
  })
  .openapi('OwnTenant');

type OwnTenantJson = z.infer<typeof ownTenantSchema>;

export const ownTenantExample: OwnTenantJson = {
  id: exampleId,
  slug: 'acme',
  name: 'Acme Corporation',
  status: 'ACTIVE',
  orgRoles: ['requester'],
};

/** A tenant as the API shows it to those who belong to it. */
export const ownTenantJson = ({ id, slug, name, status, orgRoles }: OwnTenant): OwnTenantJson => ({
  id,
  slug,
  name,
  status: status as OwnTenantJson['status'],
  orgRoles,
});
