import { schemaStanding } from '@accessops/db';
import { type Broker, lacksJetStream, type Service } from '@accessops/events';
import type { Look } from '@accessops/telemetry';
import type { Pool } from 'pg';
import { knownMigrations } from './known-migrations.ts';

/** Looks whether the schema fits the code; not there yet is a schema whose migrations have not all run. */
export const lookAtSchema =
  (pool: Pool, service: Service): Look =>
  async () => {
    const { missing, unknown } = await schemaStanding(pool, knownMigrations(service));
    if (unknown.length > 0) {
      return [
        `DATABASE_URL: the schema ${service} is newer than this release, which does not know ${unknown.join(', ')}: run the release that made them, or restore a backup from before`,
      ];
    }
    if (missing.length > 0) throw new Error(`The schema ${service} lacks ${missing.join(', ')}`);
    return [];
  };

/** Looks whether NATS keeps streams. */
export const lookAtStreams =
  (connecting: Promise<Broker>, { url, namespace, service }: { url: string; namespace: string; service: Service }): Look =>
  async () =>
    (await lacksJetStream(await connecting, namespace, service))
      ? [`NATS_URL: the NATS at ${url} has no JetStream: start it with \`jetstream\` in its configuration`]
      : [];
