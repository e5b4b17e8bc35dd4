import { transaction } from '@accessops/db';
import type { ServiceParts } from '@accessops/service';
import { Gauge, type Registry } from '@accessops/telemetry';
import { queues } from './jobs/queue.ts';

interface Count {
  stuck: number;
  overdue: number;
}

const late = `expires_at < now() - interval '5 seconds'`;

// By the indexes of what is in force and of what is ending. What takes seconds is not late yet.
const countGrants = `select
  (select count(*)::integer from access_grant where status = 'REVOKE_FAILED') as stuck,
  (select count(*)::integer from access_grant where status = 'ACTIVE' and ${late})
    + (select count(*)::integer from access_grant where status in ('REVOKING', 'REVOKE_FAILED') and ${late}) as overdue`;

const countJobs = `select queue, status, count(*)::integer as jobs from job where status in ('QUEUED', 'RUNNING') group by queue, status`;
const countFailed = `select kind, count(*)::integer as jobs from job where status = 'FAILED' group by kind`;

const countUncompared = `
  select count(*)::integer as resources from reconciled_resource as resource cross join lateral (
    select status from reconciliation
    where reconciliation.tenant_id = resource.tenant_id and reconciliation.resource_id = resource.resource_id and finished_at is not null
    order by created_at desc, id desc limit 1
  ) as latest where latest.status = 'FAILED'`;

/**
 * What an operator is to be woken by: access that should be gone, jobs that wait, jobs that have failed, targets
 * that cannot be looked at. Asked of the database when
 * Prometheus asks, of all tenants; every instance answers the same.
 */
export const provisionerMetrics = ({ orm }: Pick<ServiceParts, 'orm'>, registry: Registry): void => {
  const ask = <T>(sql: string) => transaction(orm.em, 'all-tenants', (em) => em.execute<T[]>(sql));
  const registers = [registry];
  const overdue = new Gauge({
    name: 'accessops_grants_past_expiry',
    help: 'Grants whose access is not known to be gone five seconds after its time.',
    registers,
  });
  new Gauge({
    name: 'accessops_grants_revoke_failed',
    help: 'Grants whose target does not let go.',
    registers,
    async collect() {
      const [count] = await ask<Count>(countGrants);
      this.set(count?.stuck ?? 0);
      overdue.set(count?.overdue ?? 0);
    },
  });
  new Gauge({
    name: 'accessops_jobs_open',
    help: 'Jobs that wait or run.',
    labelNames: ['queue', 'status'],
    registers,
    async collect() {
      for (const queue of queues) for (const status of ['QUEUED', 'RUNNING']) this.set({ queue, status }, 0);
      for (const { jobs, ...labels } of await ask<{ queue: string; status: string; jobs: number }>(countJobs)) this.set(labels, jobs);
    },
  });
  new Gauge({
    name: 'accessops_jobs_failed',
    help: 'Jobs that have failed and not been run again.',
    labelNames: ['kind'],
    registers,
    async collect() {
      this.reset();
      for (const { kind, jobs } of await ask<{ kind: string; jobs: number }>(countFailed)) this.set({ kind }, jobs);
    },
  });
  new Gauge({
    name: 'accessops_reconciliations_failed',
    help: 'Resources whose target could not be compared with grants the last time.',
    registers,
    async collect() {
      const [count] = await ask<{ resources: number }>(countUncompared);
      this.set(count?.resources ?? 0);
    },
  });
};
