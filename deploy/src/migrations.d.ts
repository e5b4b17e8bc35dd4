declare module 'accessops:migrations' {
  import type { NamedMigration } from '@accessops/db';
  import type { Service } from '@accessops/events/topology';

  /** The migrations of each service, put together when the images are built. */
  const migrations: Record<Service, NamedMigration[]>;
  export default migrations;
}
