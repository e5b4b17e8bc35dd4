import { type EventContext, on, type Subscription } from '@accessops/events';
import {
  ApiKeyChangedSchema,
  ServiceAccountChangedSchema,
  type ServiceAccountSnapshot,
} from '@accessops/proto/accessops/events/v1/events_pb';
import { recountCasesOfRequester } from './recount-cases.ts';

const take = async ({ em, tenantId }: EventContext, account: ServiceAccountSnapshot | undefined): Promise<void> => {
  if (!account) return;
  const taken = await em.execute<unknown[]>(
    `insert into service_account as known (tenant_id, id, custodian_ids, version) values (?, ?, array(select jsonb_array_elements_text(?)), ?)
     on conflict (tenant_id, id) do update set custodian_ids = excluded.custodian_ids, version = excluded.version
     where known.version < excluded.version
     returning id`,
    [tenantId, account.id, JSON.stringify(account.custodianIds), account.version],
  );
  if (taken.length > 0) await recountCasesOfRequester(em, tenantId, account.id);
};

/** Everything that changes who may act as a service account. */
export const onServiceAccountChanged: Subscription[] = [
  on(ServiceAccountChangedSchema, (ctx, { account }) => take(ctx, account)),
  on(ApiKeyChangedSchema, (ctx, { account }) => take(ctx, account)),
];
