import type { Invitation } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, exampleTime, id, time } from '../fields.ts';
import { timeOf } from './proto.ts';

export const invitationSchema = z
  .object({
    id: id('The invitation.'),
    email: z.string(),
    orgRoles: z.array(z.string()),
    status: z.enum(['PENDING', 'ACCEPTED', 'REVOKED']).openapi({ description: 'A pending one is worth nothing after `expiresAt`.' }),
    invitedBy: id('The user who sent it last.'),
    createdAt: time,
    expiresAt: time,
  })
  .openapi('Invitation');

type InvitationJson = z.infer<typeof invitationSchema>;

export const invitationExample: InvitationJson = {
  id: exampleId,
  email: 'rosa@acme.test',
  orgRoles: ['requester'],
  status: 'PENDING',
  invitedBy: '0192f0c1-9999-7b4d-8c6f-2a9d1e4b7c39',
  createdAt: exampleTime,
  expiresAt: '2026-11-28T09:30:00.000Z',
};

/** An invitation as the API shows it; never its token. */
export const invitationJson = (invitation: Invitation): InvitationJson => ({
  id: invitation.id,
  email: invitation.email,
  orgRoles: invitation.orgRoles,
  status: invitation.status as InvitationJson['status'],
  invitedBy: invitation.invitedBy,
  createdAt: timeOf(invitation.createdAt),
  expiresAt: timeOf(invitation.expiresAt),
});
