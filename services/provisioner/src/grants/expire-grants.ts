import { type Outbox, unitOfWork } from '@accessops/events';
import { endGrants } from './end-grants.ts';

const batchSize = 100;

/** Begins the end of grants whose time is up, in all tenants; answers whether there may be more. Instances share the work. */
export const expireGrants = (outbox: Outbox, now: () => Date): Promise<boolean> =>
  unitOfWork(outbox, 'all-tenants', async (em) => {
    const due = await em.execute<{ id: string }[]>(
      `select id from access_grant where status = 'ACTIVE' and expires_at <= ? order by expires_at limit ${batchSize}
       for update skip locked`,
      [now()],
    );
    await endGrants(
      { em, now },
      due.map(({ id }) => id),
      'EXPIRY',
    );
    return due.length === batchSize;
  });
