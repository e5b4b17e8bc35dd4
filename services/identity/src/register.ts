import { newId, noTenant, onUnique } from '@accessops/db';
import { emit } from '@accessops/events';
import type { Tier } from '@accessops/license';
import { parseName } from '@accessops/names';
import { TenantCreatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { RegisterRequest, RegisterResponseSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Call, Ctx } from '@accessops/service';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { actingAs } from './acting-as.ts';
import { addUser } from './add-user.ts';
import { created } from './changes.ts';
import { parseDomain } from './domain.ts';
import { parseEmail } from './email.ts';
import { License } from './license/license.ts';
import { mailVerification } from './links/verify-email.ts';
import type { QueueMail } from './mail/queue-mail.ts';
import type { IdentityProvider, PreparedAccount } from './provider.ts';
import type { Settings } from './settings/settings.ts';
import { parseSlug } from './slug.ts';
import { tellUserCreated } from './tell-user-created.ts';
import { Tenant } from './tenant.ts';
import { assertDomainIn, passwordLengthIn } from './tenant-rules.ts';
import { accountToProto, tenantToProto, userToProto } from './to-proto.ts';

interface WantedTenant {
  name: string;
  slug: string;
  domain: string;
}

const addTenant = async (ctx: Ctx, { name, slug, domain }: WantedTenant, tier: Tier): Promise<Tenant> => {
  const now = ctx.now();
  const tenant = ctx.em.create(Tenant, {
    id: newId(),
    name,
    slug,
    domain,
    status: 'ACTIVE',
    version: 1,
    createdAt: now,
    updatedAt: now,
  });
  await ctx.em.flush().catch(onUnique({ tenant_slug: 'SLUG_TAKEN', tenant_domain: 'DOMAIN_TAKEN' }));
  ctx.em.create(License, { tenantId: tenant.id, tier, flags: [], version: 1, updatedAt: now });
  await ctx.em.flush();
  emit({ ...ctx, tenantId: tenant.id }, TenantCreatedSchema, { tenantId: tenant.id, slug, name }, tenant.id, {
    action: 'TENANT_CREATED',
    entityType: 'TENANT',
    entityId: tenant.id,
    changes: created({ slug, name, ...(domain ? { domain } : {}), status: tenant.status, licenseTier: tier }),
  });
  return tenant;
};

const addPerson = async (
  ctx: Ctx,
  {
    settings,
    prepared,
    queueMail,
    organization,
  }: { settings: Settings; prepared: PreparedAccount; queueMail: QueueMail; organization: WantedTenant | undefined },
): Promise<MessageInitShape<typeof RegisterResponseSchema>> => {
  const account = await prepared.add(ctx);
  await mailVerification(ctx, queueMail, account);
  const self = actingAs(ctx, account);
  if (!organization) {
    const nowhere = { ...self, tenantId: noTenant };
    const { id, email, active, version } = account;
    tellUserCreated(nowhere, { id, email, active, orgRoles: [], teamIds: [], version }, account);
    return { user: accountToProto(account) };
  }
  const tier = await settings.valueOf(ctx.em, noTenant, 'license.default-tier');
  const tenant = await addTenant(self, organization, tier);
  const user = await addUser({ ...self, tenantId: tenant.id }, account, ['admin']);
  return { user: userToProto(user), tenant: tenantToProto(tenant) };
};

/**
 * Makes an account, and with an organisation a tenant whose first admin the person is. Unique indexes decide who was first.
 * Errors: INVALID_FIELDS, PASSWORD_TOO_WEAK, EMAIL_TAKEN, SLUG_TAKEN, DOMAIN_TAKEN, TOO_MANY_MAILS.
 */
export const register = async (
  call: Call,
  { provider, settings, queueMail }: { provider: IdentityProvider; settings: Settings; queueMail: QueueMail },
  { organization, ...person }: RegisterRequest,
): Promise<MessageInitShape<typeof RegisterResponseSchema>> => {
  const wanted = organization && {
    name: parseName('/organization/name', organization.name),
    slug: parseSlug(organization.slug),
    domain: parseDomain('/organization/domain', organization.domain),
  };
  const email = parseEmail(person.email);
  const minLength = await call.read(async ({ em }) => {
    await assertDomainIn(em, settings, [], { email });
    return passwordLengthIn(em, settings, []);
  });
  // A new tenant's rows and the reply kept under nobody's name lie in different tenants.
  return provider.withAccount({ ...person, minLength }, (prepared) =>
    call.writeOnce<typeof RegisterResponseSchema>(
      (ctx) => addPerson(ctx, { settings, prepared, queueMail, organization: wanted }),
      'all-tenants',
    ),
  );
};
