import { type ListDefinition, type ListField, listPage, type Page } from '@accessops/db';
import type { ListQuery } from '@accessops/proto/accessops/common/v1/common_pb';
import type { Ctx } from '@accessops/service';
import { AuditEvent } from './audit-event.ts';
import { retained } from './retention.ts';

const fields: Record<string, ListField> = {
  id: { type: 'uuid' },
  sequence: { type: 'integer' },
  occurredAt: { type: 'time' },
  actorId: { type: 'text' },
  action: { type: 'text' },
  entityType: { type: 'text' },
  entityId: { type: 'text' },
  requestId: { type: 'text' },
};

/** The log of one tenant. */
export const tenantLog: ListDefinition<AuditEvent> = { entity: AuditEvent, fields, key: 'sequence', defaultSort: '-sequence' };

/** The logs of all tenants; ids are UUIDv7, so the newest stand first. */
export const wholeLog: ListDefinition<AuditEvent> = {
  entity: AuditEvent,
  fields: { ...fields, tenantId: { type: 'uuid' } },
  defaultSort: '-id',
};

/** A page of the caller's tenant's log, as far back as its license goes. */
export const listAuditEvents = ({ em, tenantId, principal, now }: Ctx, query: ListQuery | undefined): Promise<Page<AuditEvent>> =>
  // The tenant is named although row-level security confines the rows: its policy alone cannot use the indexes.
  listPage(em, tenantLog, query, { tenantId, ...retained(principal.licenseTier, now()) });

/** A page of the log across tenants. */
export const listAllAuditEvents = ({ em }: Ctx, query: ListQuery | undefined): Promise<Page<AuditEvent>> => listPage(em, wholeLog, query);
