import { defineEntity, p } from '@mikro-orm/postgresql';
import { linkLifetimes } from '../links/lifetimes.ts';
import type { OrgRole } from '../org-role.ts';

/** PENDING ones are worth nothing after `expiresAt`. */
export type InvitationStatus = 'PENDING' | 'ACCEPTED' | 'REVOKED';

const InvitationSchema = defineEntity({
  name: 'Invitation',
  tableName: 'invitation',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    email: p.string(),
    orgRoles: p.array<OrgRole>(),
    status: p.string().$type<InvitationStatus>(),
    tokenHash: p.blob().hidden(),
    invitedBy: p.uuid(),
    version: p.integer(),
    createdAt: p.datetime(),
    expiresAt: p.datetime(),
  },
});

/** That somebody may join a tenant, with which roles. */
export class Invitation extends InvitationSchema.class {
  /** Goes out again, with other roles and another link; the one before is worth nothing then. */
  renew({ orgRoles, tokenHash, invitedBy }: { orgRoles: OrgRole[]; tokenHash: Buffer; invitedBy: string }, now: Date): void {
    this.orgRoles = orgRoles;
    this.tokenHash = tokenHash;
    this.invitedBy = invitedBy;
    this.version += 1;
    this.expiresAt = new Date(now.getTime() + linkLifetimes.INVITATION);
  }
}
InvitationSchema.setClass(Invitation);
