import type { Membership } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, id } from '../fields.ts';

export const membershipSchema = z
  .object({
    userId: id('The user.'),
    email: z.string(),
    orgRoles: z.array(z.string()),
    roles: z.array(z.object({ id: id('A custom role.'), name: z.string() })),
    active: z.boolean(),
    version: z.int(),
  })
  .openapi('Membership');

type MembershipJson = z.infer<typeof membershipSchema>;

export const membershipExample: MembershipJson = {
  userId: exampleId,
  email: 'approver1@acme.test',
  orgRoles: ['approver'],
  roles: [{ id: '0192f0c1-6666-7b4d-8c6f-2a9d1e4b7c36', name: 'Catalogue keeper' }],
  active: true,
  version: 1,
};

/** A membership as the API shows it. */
export const membershipJson = ({ userId, email, orgRoles, roles, active, version }: Membership): MembershipJson => ({
  userId,
  email,
  orgRoles,
  roles: roles.map((role) => ({ id: role.id, name: role.name })),
  active,
  version,
});
