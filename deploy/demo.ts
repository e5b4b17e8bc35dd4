import { existsSync, writeFileSync } from 'node:fs';
import { readEnvironment } from '@accessops/service';
import { runProcess } from '@accessops/telemetry';
import { z } from 'zod';
import { makeDemoDatabase } from '../dev/src/demo-database.ts';
import { seed } from '../dev/src/seed.ts';

const environment = z.object({
  /** A login that may create roles and databases: the demo gives access to a database of its own. */
  ADMIN_DATABASE_URL: z.string().startsWith('postgres'),
  /** Password of the provisioner's login at that database. */
  DEMO_DATABASE_PASSWORD: z.string().min(1),
});

// Makes the demo data of `npm start` once, then stays, so that `docker compose up --wait` can wait until it is healthy.
runProcess(async () => {
  const [url = '', marker = ''] = process.argv.slice(2);
  const { ADMIN_DATABASE_URL: adminUrl, DEMO_DATABASE_PASSWORD: password } = readEnvironment(environment, process.env);
  if (!existsSync(marker)) {
    await makeDemoDatabase(adminUrl, password);
    await seed(url);
    writeFileSync(marker, new Date().toISOString());
  }
  process.stdout.write('the demo data is there\n');
  const stay = setInterval(() => undefined, 60_000);
  return { close: async () => clearInterval(stay) };
});
