import { listPage } from '@accessops/db';
import type { ListQuery } from '@accessops/proto/accessops/common/v1/common_pb';
import type { Call } from '@accessops/service';
import type { AuditEvent } from './audit-event.ts';
import { tenantLog } from './list-audit-events.ts';
import { retained } from './retention.ts';

const batchSize = 500;
const bySequence = { ...tenantLog, maxLimit: batchSize };

/**
 * The tenant's events that match the filters, as far back as its license goes, in order of `sequence`, in batches; as far as the log reached when the
 * export began. Each batch is read when the one before is taken, in a transaction of its own, so that a slow reader holds nothing.
 */
export async function* exportAuditEvents(call: Call, query: ListQuery | undefined): AsyncGenerator<AuditEvent[]> {
  const { tenantId, signal } = call;
  const kept = retained(call.principal.licenseTier, call.now());
  const end = await call.read(async ({ em }) => {
    const [head] = await em.execute<{ sequence: string }[]>('select sequence from chain_head where tenant_id = ?', [tenantId]);
    return Number(head?.sequence ?? 0);
  });
  const filters = query?.filters ?? [];
  let after = '';
  do {
    signal.throwIfAborted();
    const page = await call.read(({ em }) =>
      listPage(em, bySequence, { limit: batchSize, after, sort: [{ field: 'sequence', descending: false }], filters } as ListQuery, {
        tenantId,
        sequence: { $lte: end },
        ...kept,
      }),
    );
    if (page.items.length > 0) yield page.items;
    after = page.next;
  } while (after);
}
