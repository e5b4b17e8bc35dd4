import { newId } from '@accessops/db';
import { services } from '@accessops/events/topology';
import { readEnvironment, runProcess } from '@accessops/telemetry';
import { databaseAddress, tlsIdentityOf, tlsProblems } from '@accessops/tls';
import pg from 'pg';
import { recoverEnvironment } from './src/script-environments.ts';

// To be run when the database was restored, or has lost its last transactions in a fail-over, before the services start again: from then on
// streams of before are replaced, everybody signs in again, and targets take our word for newer than what they have heard already.
runProcess(async () => {
  const { ADMIN_DATABASE_URL: url, LINE: line = newId() } = readEnvironment(recoverEnvironment, process.env, (given) =>
    tlsProblems(given, 'migrate'),
  );
  const client = new pg.Client(databaseAddress(url, tlsIdentityOf(process.env)));
  await client.connect();
  // One transaction: all services are on the new line, or none is.
  await client.query('begin');
  const { rows } = await client.query<{ schemaname: string }>(
    `select schemaname from pg_tables where tablename = 'recovery' and schemaname = any($1)`,
    [services],
  );
  if (rows.length === 0)
    throw new Error('There is no schema of a service in this database, or it is older than this release: run migrate first.');
  for (const { schemaname } of rows) await client.query(`insert into ${schemaname}.recovery (id, recovered_at) values ($1, now())`, [line]);
  await client.query('commit');
  await client.end();
  process.stdout.write(`${rows.map(({ schemaname }) => schemaname).join(', ')}: on line ${line} from now on\n`);
  process.exit(0);
});
