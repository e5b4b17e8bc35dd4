import { existsSync, writeFileSync } from 'node:fs';
import { seed } from '../dev/src/seed.ts';

// Makes the demo data of `npm start` once, then stays, so that `docker compose up --wait` can wait until it is healthy.
const [url = '', marker = ''] = process.argv.slice(2);
const stay = setInterval(() => undefined, 60_000);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
if (!existsSync(marker)) {
  await seed(url);
  writeFileSync(marker, new Date().toISOString());
}
process.stdout.write('the demo data is there\n');
stay.ref();
