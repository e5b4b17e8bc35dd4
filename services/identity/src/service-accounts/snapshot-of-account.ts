import type { ServiceAccountSnapshotSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { ServiceAccount } from './service-account.ts';

/**
 * An account with its custodians: who may act as it and therefore does not decide on what it asks for. They are its owner, who made it,
 * and whoever made, or owned the account together with, a key that there is still. Call after everything was flushed.
 */
export const snapshotOfAccount = async (
  em: EntityManager,
  { id, tenantId, version }: ServiceAccount,
): Promise<MessageInitShape<typeof ServiceAccountSnapshotSchema>> => {
  const [row] = await em.execute<{ ids: string[] }[]>('select custodians_of(?, ?) as ids', [tenantId, id]);
  return { id, custodianIds: row?.ids ?? [], version };
};
