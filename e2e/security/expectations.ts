/** Everybody who calls, each with the strongest token there is for them. `docs/permissions.md` says who they are. */
export const roles = [
  'anonymous',
  'member',
  'lead',
  'requester',
  'approver',
  'manager',
  'auditor',
  'admin',
  'machine',
  'support',
  'root',
] as const;

export type Role = (typeof roles)[number];

/** `yes`: lets through; `own`: only for what is the caller's own, or asks for their vote; `-`: refused. */
export type Expectation = 'yes' | 'own' | '-';

export interface ExpectedRoute {
  section: string;
  method: string;
  path: string;
  by: Record<Role, Expectation>;
}

// Every route of the API has its line here: `every-route.test.ts` calls each of them as everybody, and `docs/permissions.md` is printed
// from this. A column for each of the roles above, in their order.
const table = `
## Signing in
                                                                  anonymous member lead requester approver manager auditor admin machine support root
POST   /api/v1/auth/register                                      yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
POST   /api/v1/auth/login                                         yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
POST   /api/v1/auth/refresh                                       yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
POST   /api/v1/auth/step-up                                       -         yes    yes  yes       yes      yes     yes     yes   -       yes     yes
POST   /api/v1/auth/logout                                        yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
POST   /api/v1/auth/session                                       yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
POST   /api/v1/auth/session/refresh                               yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
POST   /api/v1/auth/session/step-up                               -         yes    yes  yes       yes      yes     yes     yes   -       yes     yes
DELETE /api/v1/auth/session                                       yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
POST   /api/v1/auth/password-reset                                yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
POST   /api/v1/auth/password-reset/confirm                        yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
POST   /api/v1/auth/verify-email                                  yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
POST   /api/v1/auth/email-change/confirm                          yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
POST   /api/v1/auth/invitations/accept                            yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes

## Everybody
                                                                  anonymous member lead requester approver manager auditor admin machine support root
POST   /api/v1/me/email/verification                              -         yes    yes  yes       yes      yes     yes     yes   -       -       -
POST   /api/v1/me/email                                           -         yes    yes  yes       yes      yes     yes     yes   -       -       -
GET    /api/v1/me                                                 -         yes    yes  yes       yes      yes     yes     yes   -       -       -
PATCH  /api/v1/me                                                 -         yes    yes  yes       yes      yes     yes     yes   -       -       -
GET    /api/v1/me/tenants                                         -         yes    yes  yes       yes      yes     yes     yes   -       -       -
GET    /api/v1/me/teams                                           -         yes    yes  yes       yes      yes     yes     yes   -       -       -
GET    /api/v1/me/teams/{id}/members                              -         -      own  own       own      yes     yes     yes   yes     -       -
GET    /api/v1/me/mfa                                             -         yes    yes  yes       yes      yes     yes     yes   -       -       -
POST   /api/v1/me/mfa/totp                                        -         yes    yes  yes       yes      yes     yes     yes   -       -       -
POST   /api/v1/me/mfa/totp/confirm                                -         yes    yes  yes       yes      yes     yes     yes   -       -       -
DELETE /api/v1/me/mfa/totp                                        -         yes    yes  yes       yes      yes     yes     yes   -       -       -
POST   /api/v1/me/mfa/recovery-codes                              -         yes    yes  yes       yes      yes     yes     yes   -       -       -
GET    /api/v1/catalog/resources                                  -         -      -    yes       yes      yes     yes     yes   yes     -       -
GET    /api/v1/catalog/resources/{id}                             -         -      -    yes       yes      yes     yes     yes   yes     -       -
GET    /api/v1/catalog/resource-types                             -         -      -    yes       yes      yes     yes     yes   yes     -       -
POST   /api/v1/requests                                           -         -      -    yes       yes      yes     -       yes   yes     -       -
GET    /api/v1/requests/me                                        -         yes    yes  yes       yes      yes     yes     yes   yes     -       -
GET    /api/v1/requests/{id}                                      -         own    own  own       own      own     yes     yes   yes     -       -
GET    /api/v1/requests/{id}/plan                                 -         own    own  own       own      own     yes     yes   yes     -       -
GET    /api/v1/requests                                           -         -      -    -         -        -       yes     yes   yes     -       -
POST   /api/v1/requests/{id}/cancel                               -         own    own  own       own      own     own     own   own     -       -
POST   /api/v1/requests/{id}/withdraw                             -         own    own  own       own      own     own     own   own     -       -
POST   /api/v1/requests/{id}/extend                               -         own    own  own       own      own     own     own   own     -       -
GET    /api/v1/approvals/pending                                  -         yes    yes  yes       yes      yes     yes     yes   -       -       -
GET    /api/v1/approvals/{requestId}                              -         own    own  own       own      own     yes     yes   yes     -       -
POST   /api/v1/requests/{id}/approve                              -         -      own  own       own      own     own     yes   -       -       -
POST   /api/v1/requests/{id}/reject                               -         -      own  own       own      own     own     yes   -       -       -
GET    /api/v1/grants/me                                          -         yes    yes  yes       yes      yes     yes     yes   yes     -       -
GET    /api/v1/grants/{id}                                        -         own    own  own       own      yes     yes     yes   yes     -       -
POST   /api/v1/grants/{id}/revoke                                 -         own    own  own       own      own     own     yes   yes     -       -
POST   /api/v1/grants/{id}/credential                             -         own    own  own       own      own     own     own   own     -       -
POST   /api/v1/grants/{id}/credential/reissue                     -         own    own  own       own      own     own     own   own     -       -
GET    /api/v1/jobs/{id}/status                                   -         own    own  own       own      yes     yes     yes   yes     -       -
GET    /api/v1/jobs/{id}/events                                   -         own    own  own       own      yes     yes     yes   yes     -       -

## The tenant
                                                                  anonymous member lead requester approver manager auditor admin machine support root
GET    /api/v1/org/tenant                                         -         -      -    -         -        yes     yes     yes   yes     -       -
PATCH  /api/v1/org/tenant                                         -         -      -    -         -        -       -       yes   yes     -       -
GET    /api/v1/org/users                                          -         -      -    -         -        yes     yes     yes   yes     -       -
POST   /api/v1/org/users                                          -         -      -    -         -        -       -       yes   -       -       -
GET    /api/v1/org/users/{id}                                     -         -      -    -         -        yes     yes     yes   yes     -       -
PATCH  /api/v1/org/users/{id}                                     -         -      -    -         -        -       -       yes   yes     -       -
DELETE /api/v1/org/users/{id}                                     -         -      -    -         -        -       -       yes   yes     -       -
DELETE /api/v1/org/users/{id}/mfa                                 -         -      -    -         -        -       -       yes   -       -       -
GET    /api/v1/org/invitations                                    -         -      -    -         -        yes     yes     yes   yes     -       -
POST   /api/v1/org/invitations                                    -         -      -    -         -        -       -       yes   -       -       -
DELETE /api/v1/org/invitations/{id}                               -         -      -    -         -        -       -       yes   yes     -       -
GET    /api/v1/org/teams                                          -         -      -    -         -        yes     yes     yes   yes     -       -
POST   /api/v1/org/teams                                          -         -      -    -         -        -       -       yes   yes     -       -
GET    /api/v1/org/teams/{id}                                     -         -      -    -         -        yes     yes     yes   yes     -       -
PATCH  /api/v1/org/teams/{id}                                     -         -      -    -         -        -       -       yes   yes     -       -
DELETE /api/v1/org/teams/{id}                                     -         -      -    -         -        -       -       yes   yes     -       -
POST   /api/v1/org/teams/{id}/members                             -         -      -    -         -        -       -       yes   -       -       -
DELETE /api/v1/org/teams/{id}/members/{userId}                    -         -      -    -         -        -       -       yes   yes     -       -
GET    /api/v1/org/memberships                                    -         -      -    -         -        -       yes     yes   -       -       -
PATCH  /api/v1/org/memberships/{userId}                           -         -      -    -         -        -       -       yes   -       -       -
GET    /api/v1/org/connectors                                     -         -      -    -         -        yes     yes     yes   yes     -       -
POST   /api/v1/org/connectors/check                               -         -      -    -         -        yes     -       yes   yes     -       -
GET    /api/v1/org/permissions                                    -         -      -    -         -        -       yes     yes   -       -       -
GET    /api/v1/org/roles                                          -         -      -    -         -        -       yes     yes   -       -       -
POST   /api/v1/org/roles                                          -         -      -    -         -        -       -       yes   -       -       -
GET    /api/v1/org/roles/{id}                                     -         -      -    -         -        -       yes     yes   -       -       -
PATCH  /api/v1/org/roles/{id}                                     -         -      -    -         -        -       -       yes   -       -       -
DELETE /api/v1/org/roles/{id}                                     -         -      -    -         -        -       -       yes   -       -       -
GET    /api/v1/org/roles/{id}/permissions                         -         -      -    -         -        -       yes     yes   -       -       -
PUT    /api/v1/org/roles/{id}/permissions                         -         -      -    -         -        -       -       yes   -       -       -
GET    /api/v1/org/service-accounts                               -         -      -    -         -        -       yes     yes   -       -       -
POST   /api/v1/org/service-accounts                               -         -      -    -         -        -       -       yes   -       -       -
GET    /api/v1/org/service-accounts/{id}                          -         -      -    -         -        -       yes     yes   -       -       -
PATCH  /api/v1/org/service-accounts/{id}                          -         -      -    -         -        -       -       yes   -       -       -
DELETE /api/v1/org/service-accounts/{id}                          -         -      -    -         -        -       -       yes   -       -       -
GET    /api/v1/org/service-accounts/{id}/keys                     -         -      -    -         -        -       yes     yes   -       -       -
POST   /api/v1/org/service-accounts/{id}/keys                     -         -      -    -         -        -       -       yes   -       -       -
POST   /api/v1/org/service-accounts/{id}/keys/{keyId}/rotate      -         -      -    -         -        -       -       yes   -       -       -
DELETE /api/v1/org/service-accounts/{id}/keys/{keyId}             -         -      -    -         -        -       -       yes   -       -       -
GET    /api/v1/org/resource-types                                 -         -      -    -         -        yes     yes     yes   yes     -       -
POST   /api/v1/org/resource-types                                 -         -      -    -         -        yes     -       yes   yes     -       -
GET    /api/v1/org/resource-types/{id}                            -         -      -    -         -        yes     yes     yes   yes     -       -
PATCH  /api/v1/org/resource-types/{id}                            -         -      -    -         -        yes     -       yes   yes     -       -
DELETE /api/v1/org/resource-types/{id}                            -         -      -    -         -        -       -       yes   yes     -       -
GET    /api/v1/org/resources                                      -         -      -    -         -        yes     yes     yes   yes     -       -
POST   /api/v1/org/resources                                      -         -      -    -         -        yes     -       yes   yes     -       -
GET    /api/v1/org/resources/{id}                                 -         -      -    -         -        yes     yes     yes   yes     -       -
PATCH  /api/v1/org/resources/{id}                                 -         -      -    -         -        yes     -       yes   yes     -       -
DELETE /api/v1/org/resources/{id}                                 -         -      -    -         -        -       -       yes   yes     -       -
POST   /api/v1/org/resources/{id}/reconcile                       -         -      -    -         -        -       -       yes   yes     -       -
GET    /api/v1/org/resources/{id}/drift                           -         -      -    -         -        yes     yes     yes   yes     -       -
GET    /api/v1/org/jobs                                           -         -      -    -         -        yes     yes     yes   yes     -       -
POST   /api/v1/org/jobs/{id}/retry                                -         -      -    -         -        -       -       yes   yes     -       -
POST   /api/v1/org/jobs/{id}/cancel                               -         -      -    -         -        -       -       yes   yes     -       -
GET    /api/v1/org/grants                                         -         -      -    -         -        yes     yes     yes   yes     -       -
POST   /api/v1/org/grants/{id}/revoke                             -         -      -    -         -        own     own     yes   yes     -       -
POST   /api/v1/org/grants/{id}/close                              -         -      -    -         -        -       -       yes   yes     -       -
GET    /api/v1/org/reports                                        -         -      -    -         -        -       yes     yes   yes     -       -
POST   /api/v1/org/reports                                        -         -      -    -         -        -       yes     yes   yes     -       -
GET    /api/v1/org/reports/{id}                                   -         -      -    -         -        -       yes     yes   yes     -       -
GET    /api/v1/org/reports/{id}/file                              -         -      -    -         -        -       yes     yes   yes     -       -
GET    /api/v1/org/settings                                       -         -      -    -         -        yes     yes     yes   yes     -       -
GET    /api/v1/org/settings/{key}                                 -         -      -    -         -        yes     yes     yes   yes     -       -
PUT    /api/v1/org/settings/{key}                                 -         -      -    -         -        -       -       yes   yes     -       -
DELETE /api/v1/org/settings/{key}                                 -         -      -    -         -        -       -       yes   yes     -       -
GET    /api/v1/org/feature-flags                                  -         -      -    -         -        yes     yes     yes   yes     -       -
POST   /api/v1/org/feature-flags                                  -         -      -    -         -        -       -       yes   yes     -       -
GET    /api/v1/org/feature-flags/{id}                             -         -      -    -         -        yes     yes     yes   yes     -       -
PUT    /api/v1/org/feature-flags/{id}                             -         -      -    -         -        -       -       yes   yes     -       -
DELETE /api/v1/org/feature-flags/{id}                             -         -      -    -         -        -       -       yes   yes     -       -
GET    /api/v1/org/license                                        -         -      -    -         -        yes     yes     yes   yes     -       -
PATCH  /api/v1/org/license                                        -         -      -    -         -        -       -       yes   yes     -       -
GET    /api/v1/org/audit                                          -         -      -    -         -        -       yes     yes   yes     -       -
GET    /api/v1/org/audit/verify                                   -         -      -    -         -        -       yes     yes   yes     -       -
GET    /api/v1/org/audit/export                                   -         -      -    -         -        -       yes     yes   yes     -       -

## The platform
                                                                  anonymous member lead requester approver manager auditor admin machine support root
GET    /api/v1/admin/policies/version                             -         -      -    -         -        -       -       -     -       yes     yes
GET    /api/v1/admin/ops/current-commit                           -         -      -    -         -        -       -       -     -       yes     yes
GET    /api/v1/admin/ops/env-sanity                                -         -      -    -         -        -       -       -     -       yes     yes
GET    /api/v1/admin/tenants                                      -         -      -    -         -        -       -       -     -       yes     yes
GET    /api/v1/admin/tenants/{id}                                 -         -      -    -         -        -       -       -     -       yes     yes
POST   /api/v1/admin/tenants/{id}/suspend                         -         -      -    -         -        -       -       -     -       -       yes
POST   /api/v1/admin/tenants/{id}/activate                        -         -      -    -         -        -       -       -     -       -       yes
GET    /api/v1/admin/tenants/{id}/license                         -         -      -    -         -        -       -       -     -       yes     yes
PATCH  /api/v1/admin/tenants/{id}/license                         -         -      -    -         -        -       -       -     -       -       yes
GET    /api/v1/admin/settings                                     -         -      -    -         -        -       -       -     -       yes     yes
GET    /api/v1/admin/settings/{key}                               -         -      -    -         -        -       -       -     -       yes     yes
PUT    /api/v1/admin/settings/{key}                               -         -      -    -         -        -       -       -     -       -       yes
DELETE /api/v1/admin/settings/{key}                               -         -      -    -         -        -       -       -     -       -       yes
GET    /api/v1/admin/dead-letters                                 -         -      -    -         -        -       -       -     -       yes     yes
POST   /api/v1/admin/dead-letters/{id}/replay                     -         -      -    -         -        -       -       -     -       -       yes
GET    /api/v1/admin/audit                                        -         -      -    -         -        -       -       -     -       yes     yes

## Webhooks
                                                                  anonymous member lead requester approver manager auditor admin machine support root
POST   /webhooks/stripe                                           yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
POST   /webhooks/access/{key}                                     yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes

## Operations
                                                                  anonymous member lead requester approver manager auditor admin machine support root
GET    /health                                                    yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
GET    /livez                                                     yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
GET    /readyz                                                    yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
GET    /metrics                                                   yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
GET    /.well-known/jwks.json                                     yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
GET    /openapi.json                                              yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
GET    /docs                                                      yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
GET    /docs/errors                                               yes       yes    yes  yes       yes      yes     yes     yes   yes     yes     yes
`;

const parse = (): ExpectedRoute[] => {
  const routes: ExpectedRoute[] = [];
  let section = '';
  for (const line of table.split('\n')) {
    const [method = '', path = '', ...cells] = line.trim().split(/\s+/);
    if (method === '##') section = line.slice(3);
    else if (path.startsWith('/')) {
      const wrong = cells.length !== roles.length || cells.some((cell) => !['yes', 'own', '-'].includes(cell));
      if (wrong) throw new Error(`${method} ${path} needs yes, own or - for each of ${roles.join(', ')}`);
      const by = Object.fromEntries(roles.map((role, index) => [role, cells[index]])) as Record<Role, Expectation>;
      routes.push({ section, method, path, by });
    }
  }
  return routes;
};

/** Who may call what. */
export const expectations: readonly ExpectedRoute[] = parse();
