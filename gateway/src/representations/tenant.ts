import type { Tenant } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, exampleTime, id, time } from '../fields.ts';
import { orNull, timeOf } from './proto.ts';

export const tenantSchema = z
  .object({
    id: id('The tenant.'),
    slug: z.string(),
    name: z.string(),
    domain: z.string().nullable(),
    status: z.enum(['ACTIVE', 'SUSPENDED']),
    version: z.int(),
    createdAt: time,
  })
  .openapi('Tenant');

type TenantJson = z.infer<typeof tenantSchema>;

export const tenantExample: TenantJson = {
  id: exampleId,
  slug: 'acme',
  name: 'Acme Corporation',
  domain: null,
  status: 'ACTIVE',
  version: 1,
  createdAt: exampleTime,
};

/** A tenant as the API shows it. */
export const tenantJson = (tenant: Tenant): TenantJson => ({
  id: tenant.id,
  slug: tenant.slug,
  name: tenant.name,
  domain: orNull(tenant.domain),
  status: tenant.status as TenantJson['status'],
  version: tenant.version,
  createdAt: timeOf(tenant.createdAt),
});
