import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { services } from '@accessops/events/topology';
import { expect, test } from 'vitest';
import { breachesOfExpansion } from './migration-rules.ts';
import { root } from './paths.ts';

test.each([
  'drop table note',
  'alter table note drop column text',
  'alter table note rename column text to body',
  'alter table note rename to remark',
  'alter table note alter column text type varchar(10)',
  'alter table note alter column text set not null',
  'alter table note add column size integer not null',
  'drop function read_note(uuid)',
  'truncate note',
])('when a migration says "%s", then the release before does not survive it', (statement) => {
  expect(breachesOfExpansion([statement])).toEqual([statement]);
});

test.each([
  ['create table note (id uuid primary key, text text not null)'],
  ['alter table note add column size integer not null default 0'],
  ['alter table note add column size integer'],
  ['alter table note drop constraint note_kind_check'],
  ['alter table note drop column text /* contract: 0.3.0 */'],
  ['drop function read_note(uuid)', 'create function read_note(note uuid) returns text language sql as $$ select 1 $$'],
])('when it says "%s", then the release before does not notice', (...statements) => {
  expect(breachesOfExpansion(statements)).toEqual([]);
});

type MigrationClass = new (...parts: never[]) => { up(): void | Promise<void>; getQueries(): unknown[] };

test.each(services)('when the release before of %s meets its migrations, then it can run on what they leave', async (service) => {
  const folder = join(root, 'services', service, 'migrations');
  for (const file of readdirSync(folder).toSorted().slice(1)) {
    const found = Object.values((await import(join(folder, file))) as Record<string, MigrationClass>);
    for (const Found of found) {
      const migration = new Found();
      await migration.up();
      expect({ file, breaches: breachesOfExpansion(migration.getQueries().map(String)) }).toEqual({ file, breaches: [] });
    }
  }
});
