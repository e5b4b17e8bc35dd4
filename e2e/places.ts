import { join } from 'node:path';

/** What the platform under test keeps: logs, data, secrets. */
export const platformDir = join(import.meta.dirname, '../.accessops/e2e');

/** Where its databases are, as their superuser; only while the suite runs. */
export const adminUrlFile = join(platformDir, 'admin-url.txt');

/** Every secret the tests have sent or been given, a line each. */
export const secretsFile = join(platformDir, 'secrets-seen.txt');
