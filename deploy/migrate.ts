import migrations from 'accessops:migrations';
import { createServiceSchema, migrate } from '@accessops/db';
import { services } from '@accessops/events/topology';
import { readEnvironment, runProcess } from '@accessops/telemetry';
import { tlsIdentityOf, tlsProblems } from '@accessops/tls';
import { migrateEnvironment } from './src/script-environments.ts';

// Gives each service its schema and logins and runs what it is missing of migrations, then ends.
runProcess(async () => {
  const { ADMIN_DATABASE_URL: adminUrl, DATABASE_PASSWORDS_FILE: logins } = readEnvironment(migrateEnvironment, process.env, (given) =>
    tlsProblems(given, 'migrate'),
  );
  const tls = tlsIdentityOf(process.env);
  for (const service of services) {
    const { owner = '', app = '' } = logins[service] ?? {};
    await createServiceSchema(adminUrl, { service, ownerPassword: owner, appPassword: app, tls });
    const url = Object.assign(new URL(adminUrl), { username: `${service}_owner`, password: encodeURIComponent(owner) }).href;
    const done = await migrate({ url, tls, service, directory: migrations[service], direction: 'up' });
    process.stdout.write(`${service}: ${done.length > 0 ? done.join(', ') : 'nothing to do'}\n`);
  }
  process.exit(0);
});
