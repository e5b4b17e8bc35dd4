import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { readEnvironment, runProcess } from '@accessops/telemetry';
import { tlsIdentityOf, tlsProblems } from '@accessops/tls';
import { makeDemoDatabase } from '../dev/src/demo-database.ts';
import { seed } from '../dev/src/seed.ts';
import { demoEnvironment } from './src/script-environments.ts';

// A container that ends counts as failed at once, and a platform that has just begun may be too slow for a call: what is made
// already stays as it is, so everything can be tried again.
const seedUntilDone = async (url: string): Promise<void> => {
  for (;;) {
    try {
      return await seed(url);
    } catch (error) {
      process.stderr.write(`the demo data is not complete yet: ${error instanceof Error ? error.message : String(error)}\n`);
      await delay(2000);
    }
  }
};

// Makes the demo data of `npm start` once, then stays, so that `docker compose up --wait` can wait until it is healthy.
runProcess(async () => {
  const [url = '', marker = ''] = process.argv.slice(2);
  const { ADMIN_DATABASE_URL: adminUrl, DEMO_DATABASE_PASSWORD: password } = readEnvironment(demoEnvironment, process.env, (given) =>
    tlsProblems(given, 'migrate'),
  );
  if (!existsSync(marker)) {
    await makeDemoDatabase(adminUrl, password, tlsIdentityOf(process.env));
    await seedUntilDone(url);
    writeFileSync(marker, new Date().toISOString());
  }
  process.stdout.write('the demo data is there\n');
  const stay = setInterval(() => undefined, 60_000);
  return { close: async () => clearInterval(stay) };
});
