import { Migration } from '@mikro-orm/migrations';
import { dropPlatformTables, platformTables, tenantTable } from '../../src/index.ts';

/** Tables of a service that exists in these tests only. */
export class Items extends Migration {
  override up(): void {
    for (const sql of [
      `create table grouping (id uuid primary key, tenant_id uuid not null, label text)`,
      ...tenantTable('grouping', { acrossTenants: true }),
      `create table item (
        id uuid primary key,
        tenant_id uuid not null,
        name text not null,
        size integer not null,
        active boolean not null,
        tags text[] not null,
        created_at timestamptz(3) not null,
        ended_at timestamptz(3),
        group_id uuid references grouping (id)
      )`,
      'create unique index item_name on item (tenant_id, name)',
      'create index item_created on item (tenant_id, created_at, id)',
      ...tenantTable('item'),
      ...platformTables,
    ])
      this.addSql(sql);
  }

  override down(): void {
    for (const sql of [...dropPlatformTables, 'drop table if exists item, grouping']) this.addSql(sql);
  }
}
