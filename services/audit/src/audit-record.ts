import type { Event } from '@accessops/events';
import { AnyEventSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { fromBinary } from '@bufbuild/protobuf';
import { canonicalJson, type Json } from './canonical-json.ts';

/** What the log says of one change, before it has its place in the chain. */
export interface AuditRecord {
  tenantId: string;
  /** Id of the event that told of the change. */
  id: string;
  /** When it happened: RFC 3339 in UTC with three decimals. */
  occurredAt: string;
  actorId: string;
  actorType: string;
  actorEmail: string;
  action: string;
  entityType: string;
  entityId: string;
  /** Canonical JSON (RFC 8785): field → {before, after}. */
  changes: string;
  ip: string;
  userAgent: string;
  requestId: string;
}

// PostgreSQL's text cannot hold NUL, and nobody shall keep a change out of the log by sending one.
const storable = (text: string): string => text.replaceAll('\0', '\uFFFD');

const changesOf = (text: string): string => {
  const changes = JSON.parse(text || '{}') as Json;
  if (changes === null || typeof changes !== 'object' || Array.isArray(changes)) throw new Error('The changes are not a JSON object');
  return canonicalJson(changes);
};

/** The record of the change that an event tells of; none when it changes no state by itself. */
export const recordOf = ({ id, tenantId, occurredAt, origin, payload }: Event): AuditRecord | undefined => {
  const { change } = fromBinary(AnyEventSchema, payload, { readUnknownFields: false });
  if (!change) return undefined;
  const { requestId, ip, userAgent } = change.origin ?? origin;
  return {
    tenantId,
    id,
    occurredAt: occurredAt.toISOString(),
    actorId: storable(change.actor?.id ?? ''),
    actorType: storable(change.actor?.type ?? ''),
    actorEmail: storable(change.actor?.email ?? ''),
    action: storable(change.action),
    entityType: storable(change.entityType),
    entityId: storable(change.entityId),
    changes: changesOf(change.changesJson),
    ip: storable(ip),
    userAgent: storable(userAgent),
    requestId: storable(requestId),
  };
};
