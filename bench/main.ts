import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPlatform } from '@accessops/dev';
import { measureCorePath } from './src/core-path.ts';
import { measureHono } from './src/hono-limit.ts';
import { measureIdentity } from './src/identity.ts';
import { measureJobs } from './src/jobs.ts';

// npm run bench [-- core-path | identity | jobs]
const [only] = process.argv.slice(2);
const connections = 50;

const hono = only === 'identity' || only === 'jobs' ? undefined : await measureHono({ connections, seconds: 5 });
const platform = await startPlatform({ dataDir: mkdtempSync(join(tmpdir(), 'accessops-bench-')), port: 0, limits: false });
try {
  if (hono) await measureCorePath(platform, hono, connections);
  if (only === undefined || only === 'identity') await measureIdentity(platform);
  if (only === undefined || only === 'jobs') await measureJobs(platform);
} finally {
  await platform.stop();
}
