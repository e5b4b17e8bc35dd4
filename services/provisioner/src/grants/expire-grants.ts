import { type Outbox, unitOfWork } from '@accessops/events';
import { endGrants } from './end-grants.ts';

// What ends in one go must not hold up who decides meanwhile: four rounds a second make 200 ends, 10,000 in 50 seconds.
const batchSize = 50;

/** Begins the end of grants whose time is up, in all tenants; of a flood, as many as a round may have. Instances share the work. */
export const expireGrants = (outbox: Outbox, now: () => Date): Promise<void> =>
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
  });
