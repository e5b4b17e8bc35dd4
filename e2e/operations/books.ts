import { servers } from '@accessops/dev';
import type pg from 'pg';

/** What a reader of its own finds in the database. */
export interface Books {
  /** Changes that events of all services tell of. */
  changes: number;
  audited: number;
  /** What should be there and is not. */
  lost: string[];
  /** What is there more than once. */
  doubled: string[];
}

const services = servers.filter((name) => name !== 'gateway');
const allEvents = services.map((service) => `select event_id, type, payload from ${service}.outbox_event`).join(' union all ');

// Field 1 of each event is the change that it tells of, if it does.
const changes = `select event_id, type from (${allEvents}) as told where length(payload) > 0 and get_byte(payload, 0) = 10`;

const unrecorded = `select type, event_id from (${changes}) as change
  where not exists (select from audit.audit_event as recorded where recorded.id = event_id)`;

const unfounded = `select id from audit.audit_event where id not in (select event_id from (${changes}) as change)`;

const recordedTwice = 'select id from audit.audit_event group by id having count(*) > 1';

const decided = `status not in ('PENDING', 'REJECTED', 'CANCELLED', 'LAPSED')`;

const withoutJob = `select id from requests.access_request as request where ${decided}
  and not exists (select from provisioner.job where request_id = request.id and kind = 'PROVISION')`;
const withoutGrant = `select request_id from provisioner.job where kind = 'PROVISION' and status = 'SUCCEEDED'
  and not exists (select from provisioner.access_grant as given where given.request_id = job.request_id)`;
const withoutRequest = `select request_id from provisioner.job where kind = 'PROVISION'
  and not exists (select from requests.access_request where id = job.request_id and ${decided})`;
const severalOf = (table: string, condition: string) =>
  `select request_id from provisioner.${table} where ${condition} group by request_id having count(*) > 1`;

const unsettled = `select id from provisioner.job where status not in ('SUCCEEDED', 'FAILED', 'CANCELLED')`;

/** Reads what the services have written, past them. */
export const readBooks = async (database: pg.Client): Promise<Books> => {
  const all = async (what: string, sql: string) =>
    (await database.query<Record<string, unknown>>(sql)).rows.map((row) => `${what}: ${Object.values(row).join(' ')}`);
  const count = async (sql: string) =>
    Number((await database.query<{ count: string }>(`select count(*) from (${sql}) as found`)).rows[0]?.count);
  return {
    changes: await count(changes),
    audited: await count('select id from audit.audit_event'),
    lost: [
      ...(await all('a change without a record', unrecorded)),
      ...(await all('approved without a job', withoutJob)),
      ...(await all('provisioned without a grant', withoutGrant)),
      ...(await all('a job that has not ended', unsettled)),
    ],
    doubled: [
      ...(await all('recorded twice', recordedTwice)),
      ...(await all('a record of nothing', unfounded)),
      ...(await all('jobs of one request', severalOf('job', `kind = 'PROVISION'`))),
      ...(await all('grants of one request', severalOf('access_grant', 'true'))),
      ...(await all('a job without an approved request', withoutRequest)),
    ],
  };
};
