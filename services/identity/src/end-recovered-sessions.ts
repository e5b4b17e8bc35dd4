import { noTenant } from '@accessops/db';
import { unitOfWork } from '@accessops/events';
import type { ServiceParts } from '@accessops/service';
import { endSessions } from './session.ts';

/**
 * Ends the sessions that were begun before the database was last restored: some had ended in the time that was lost, and nobody knows which.
 * Everybody signs in again.
 */
export const endRecoveredSessions = ({ outbox, now }: ServiceParts): Promise<void> =>
  unitOfWork(outbox, 'all-tenants', (em) => {
    const actor = { id: 'identity', type: 'system', email: '' };
    const origin = { requestId: '', ip: '', userAgent: '', traceparent: '' };
    const where = 's.created_at < (select max(recovered_at) from recovery)';
    return endSessions({ em, tenantId: noTenant, actor, origin, now }, { where, values: [], reason: 'RECOVERED', actor });
  });
