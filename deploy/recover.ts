import { newId } from '@accessops/db';
import { services } from '@accessops/events/topology';
import { readEnvironment } from '@accessops/service';
import { runProcess } from '@accessops/telemetry';
import pg from 'pg';
import { z } from 'zod';

const environment = z.object({
  /** A superuser's login in the database of the services. */
  ADMIN_DATABASE_URL: z.string().startsWith('postgres'),
});

// To be run when the database was restored, or has lost its last transactions in a fail-over, before the services start again: from then on
// streams of before are replaced, everybody signs in again, and targets take our word for newer than what they have heard already.
runProcess(async () => {
  const { ADMIN_DATABASE_URL: connectionString } = readEnvironment(environment, process.env);
  const client = new pg.Client({ connectionString });
  await client.connect();
  const id = newId();
  // One transaction: all services are on the same line, or none is on a new one.
  await client.query('begin');
  for (const service of services) await client.query(`insert into ${service}.recovery (id, recovered_at) values ($1, now())`, [id]);
  await client.query('commit');
  await client.end();
  process.stdout.write(`the database goes on as line ${id}\n`);
  process.exit(0);
});
