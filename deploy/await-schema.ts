import migrations from 'accessops:migrations';
import { setTimeout as delay } from 'node:timers/promises';
import { readEnvironment, runProcess } from '@accessops/telemetry';
import { type DatabaseAddress, databaseAddress, tlsIdentityOf, tlsProblems } from '@accessops/tls';
import pg from 'pg';
import { awaitSchemaEnvironment } from './src/script-environments.ts';

const appliedMigrations = async (address: DatabaseAddress): Promise<string[]> => {
  const client = new pg.Client({ ...address, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<{ name: string }>('select name from schema_migration')).rows.map(({ name }) => name);
  } catch {
    return [];
  } finally {
    await client.end().catch(() => undefined);
  }
};

// Ends when the migrations of this release have run, so that no service of a release meets the schema of the one before.
runProcess(async () => {
  const { SERVICE: service, DATABASE_URL: url } = readEnvironment(awaitSchemaEnvironment, process.env, (given) =>
    tlsProblems(given, given.SERVICE ?? ''),
  );
  const address = databaseAddress(url, tlsIdentityOf(process.env));
  const wanted = migrations[service].map(({ name }) => name);
  for (;;) {
    const applied = new Set(await appliedMigrations(address));
    const missing = wanted.filter((name) => !applied.has(name));
    if (missing.length === 0) process.exit(0);
    process.stdout.write(`${service} waits for ${missing.join(', ')}\n`);
    await delay(1000);
  }
});
