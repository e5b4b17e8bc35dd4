import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Service } from '@accessops/events';

/** Names of the migrations that this release of a service knows. A bundle has no folder of them: its list is made with it. */
export const knownMigrations = (service: Service): string[] =>
  readdirSync(join(import.meta.dirname, '../../../services', service, 'migrations'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length));
