import type { Principal } from '@accessops/authn';
import { Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import type { RecordSupportReadRequestSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Route } from './define-route.ts';
import { filterText, type ListFilter } from './list-query.ts';

/** Whether the route reads what is a tenant's in the platform's namespace: then support has to say why. A new route does unless it says otherwise. */
export const readsTenants = ({ method, audience, platformOnly }: Pick<Route, 'method' | 'audience' | 'platformOnly'>): boolean =>
  method === 'get' && audience === 'admin' && !platformOnly;

/** Whether somebody is of platform support, whatever else they are. */
export const isSupport = ({ realmRoles }: Principal): boolean => realmRoles.includes('platform-support');

// Node reads headers as Latin-1; most clients send UTF-8.
const decoder = new TextDecoder('utf-8', { fatal: true });
const textOf = (header: string): string => {
  try {
    return decoder.decode(Buffer.from(header, 'latin1'));
  } catch {
    return header;
  }
};

const byTenant = ({ field, operator }: ListFilter) => field === 'tenantId' && (operator === Operator.EQ || operator === Operator.IN);

/** The tenants that a read names; empty when it names none. */
const tenantsOf = ({ path }: Route, params: Readonly<Record<string, string>>, filters: readonly ListFilter[]): readonly string[] =>
  path.startsWith('/api/v1/admin/tenants/{id}') ? [params.id ?? ''] : (filters.find(byTenant)?.values ?? []);

/** What is to be recorded of a read, before it is answered: once for each tenant that it names, so that each can see it, or once for the platform. */
export const supportReadsOf = (
  route: Route,
  params: Readonly<Record<string, string>>,
  filters: readonly ListFilter[],
  reason: string,
): MessageInitShape<typeof RecordSupportReadRequestSchema>[] => {
  const tenants = new Set(tenantsOf(route, params, filters));
  return [...(tenants.size > 0 ? tenants : [''])].map((tenantId) => ({
    reason: textOf(reason),
    tenantId,
    entityType: route.cerbos.resource.toUpperCase(),
    entityId: params.id ?? '',
    route: `GET ${route.path}`,
    filters: filters.map(filterText),
  }));
};
