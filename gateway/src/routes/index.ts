import type { Route } from '../define-route.ts';
import { accessAnswerRoutes } from './access-answers.ts';
import { adminAuditRoutes } from './admin-audit.ts';
import { adminDeadLetterRoutes } from './admin-dead-letters.ts';
import { adminLicenseRoutes } from './admin-licenses.ts';
import { adminOperationRoutes } from './admin-operations.ts';
import { adminPolicyRoutes } from './admin-policies.ts';
import { adminSettingRoutes } from './admin-settings.ts';
import { adminTenantRoutes } from './admin-tenants.ts';
import { approvalRoutes } from './approvals.ts';
import { browserSessionRoutes } from './browser-session.ts';
import { catalogRoutes } from './catalog.ts';
import { grantRoutes } from './grants.ts';
import { jobRoutes } from './jobs.ts';
import { linkRoutes } from './links.ts';
import { meRoutes } from './me.ts';
import { meMfaRoutes } from './me-mfa.ts';
import { orgAuditRoutes } from './org-audit.ts';

import { orgConnectorRoutes } from './org-connectors.ts';
import { orgDriftRoutes } from './org-drift.ts';

import { orgFeatureFlagRoutes } from './org-feature-flags.ts';

import { orgGrantRoutes } from './org-grants.ts';
import { orgInvitationRoutes } from './org-invitations.ts';
import { orgJobRoutes } from './org-jobs.ts';
import { orgLicenseRoutes } from './org-license.ts';
import { orgMembershipRoutes } from './org-memberships.ts';
import { orgReportRoutes } from './org-reports.ts';
import { orgResourceTypeRoutes } from './org-resource-types.ts';
import { orgResourceRoutes } from './org-resources.ts';
import { orgRoleRoutes } from './org-roles.ts';
import { orgServiceAccountRoutes } from './org-service-accounts.ts';
import { orgSettingRoutes } from './org-settings.ts';
import { orgTeamRoutes } from './org-teams.ts';
import { orgTenantRoutes } from './org-tenant.ts';
import { orgUserRoutes } from './org-users.ts';
import { requestRoutes } from './requests.ts';
import { sessionRoutes } from './session.ts';
import { stripeRoutes } from './stripe.ts';

/** Every route of the API. A path without parameters comes before one that would take it as a parameter. */
export const routes: readonly Route[] = [
  ...sessionRoutes,
  ...browserSessionRoutes,
  ...linkRoutes,
  ...meRoutes,
  ...meMfaRoutes,
  ...catalogRoutes,
  ...requestRoutes,
  ...approvalRoutes,
  ...grantRoutes,
  ...jobRoutes,
  ...orgTenantRoutes,
  ...orgUserRoutes,
  ...orgInvitationRoutes,
  ...orgTeamRoutes,
  ...orgMembershipRoutes,
  ...orgConnectorRoutes,
  ...orgDriftRoutes,
  ...orgRoleRoutes,
  ...orgServiceAccountRoutes,
  ...orgResourceTypeRoutes,
  ...orgResourceRoutes,
  ...orgJobRoutes,
  ...orgGrantRoutes,
  ...orgReportRoutes,
  ...orgSettingRoutes,
  ...orgFeatureFlagRoutes,
  ...orgLicenseRoutes,
  ...orgAuditRoutes,
  ...adminPolicyRoutes,
  ...adminOperationRoutes,
  ...adminTenantRoutes,
  ...adminLicenseRoutes,
  ...adminSettingRoutes,
  ...adminDeadLetterRoutes,
  ...adminAuditRoutes,
  ...stripeRoutes,
  ...accessAnswerRoutes,
];
