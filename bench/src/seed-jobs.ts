import type { Client } from 'pg';

const seed = `
  with made as materialized (select gen_random_uuid() as request, gen_random_uuid() as job, n from generate_series(1, $2::int) n),
  filed as (
    insert into requests.access_request
    select (jsonb_populate_record(r, jsonb_build_object('id', request, 'job_id', job, 'grant_id', null, 'status', 'PROVISIONING', 'role', $3 || n))).*
    from made, requests.access_request r where r.id = $1
  )
  insert into provisioner.job
  select (jsonb_populate_record(j, jsonb_build_object('id', job, 'request_id', request, 'grant_id', null, 'status', 'QUEUED', 'attempts', 0,
    'due_at', now(), 'started_at', null, 'finished_at', null, 'steps', '[]'::jsonb, 'spec', j.spec || jsonb_build_object('key', job)))).*
  from made, provisioner.job j where j.request_id = $1 and j.kind = 'PROVISION'`;

/** Puts approved requests and their jobs straight into the database, all like one that there is: they are due at once. */
export const seedJobs = async (database: Client, like: string, count: number): Promise<void> => {
  await database.query(seed, [like, count, `seed-${process.hrtime.bigint()}-`]);
};
