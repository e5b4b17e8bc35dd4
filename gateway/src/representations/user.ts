import type { User } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, exampleTime, id, time } from '../fields.ts';
import { timeOf } from './proto.ts';

export const userSchema = z
  .object({
    id: id('The user.'),
    email: z.string(),
    firstName: z.string(),
    lastName: z.string(),
    active: z.boolean(),
    emailVerified: z.boolean(),
    orgRoles: z.array(z.string()),
    version: z.int(),
    createdAt: time,
    updatedAt: time,
  })
  .openapi('User');

type UserJson = z.infer<typeof userSchema>;

export const userExample: UserJson = {
  id: exampleId,
  email: 'requester@acme.test',
  firstName: 'Rosa',
  lastName: 'Requester',
  active: true,
  emailVerified: true,
  orgRoles: ['requester'],
  version: 1,
  createdAt: exampleTime,
  updatedAt: exampleTime,
};

/** A user as the API shows it. */
export const userJson = (user: User): UserJson => ({
  id: user.id,
  email: user.email,
  firstName: user.firstName,
  lastName: user.lastName,
  active: user.active,
  emailVerified: user.emailVerified,
  orgRoles: user.orgRoles,
  version: user.version,
  createdAt: timeOf(user.createdAt),
  updatedAt: timeOf(user.updatedAt),
});
