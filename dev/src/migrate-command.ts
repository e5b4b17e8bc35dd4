import { text } from 'node:stream/consumers';
import { type Service, services } from '@accessops/events/topology';
import { migrateServices } from './migrate-services.ts';

/** What the migrating process is told, on standard input. */
export interface MigrateConfig {
  adminUrl: string;
  database: string;
  passwords: Record<Service, { owner: string; app: string }>;
}

// Standard input ends when the database is there; what takes long to load has been loaded by then.
const config = JSON.parse(await text(process.stdin)) as MigrateConfig;
const count = await migrateServices({ ...config, services });
process.stdout.write(`${count} migrations\n`);
