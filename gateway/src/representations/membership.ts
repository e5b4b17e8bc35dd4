import type { Membership } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, id } from '../fields.ts';

export const membershipSchema = z
  .object({
    userId: id('The user.'),
    email: z.string(),
    orgRoles: z.array(z.string()),
    active: z.boolean(),
    version: z.int(),
  })
  .openapi('Membership');

type MembershipJson = z.infer<typeof membershipSchema>;

export const membershipExample: MembershipJson = {
  userId: exampleId,
  email: 'approver1@acme.test',
  orgRoles: ['approver'],
  active: true,
  version: 1,
};

/** A membership as the API shows it. */
export const membershipJson = ({ userId, email, orgRoles, active, version }: Membership): MembershipJson => ({
  userId,
  email,
  orgRoles,
  active,
  version,
});
