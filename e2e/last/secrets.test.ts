import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { adminUrlFile, platformDir, secretsFile } from '../places.ts';
import { findTexts } from './find-texts.ts';

// Runs after all other suites: what they sent and were given must not have been written down.
const secrets = readFileSync(secretsFile, 'utf8').split('\n').filter(Boolean);
const find = findTexts(secrets);
// No secret, and in both: a search that does not find it finds nothing.
const findControl = findTexts(['requester@acme.test']);

test('when the whole suite has run, then no log, stream or file of a database holds a password, token or credential of it', () => {
  expect(secrets.length).toBeGreaterThan(50);
  const found: string[] = [];
  let files = 0;
  let controls = 0;
  for (const folder of ['logs', 'data']) {
    for (const entry of readdirSync(join(platformDir, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      files += 1;
      const data = readFileSync(file);
      controls += findControl(data).length;
      for (const secret of find(data)) found.push(`${file}: ${secret.slice(0, 4)}…`);
    }
  }
  expect(files).toBeGreaterThan(1000);
  expect(controls).toBeGreaterThan(3);
  expect(found).toEqual([]);
});

test('when the whole suite has run, then no row of any database holds one either', async () => {
  const url = new URL(readFileSync(adminUrlFile, 'utf8'));
  const rowsOf = async <T extends pg.QueryResultRow>(database: string, read: (ask: (sql: string) => Promise<T[]>) => Promise<void>) => {
    url.pathname = `/${database}`;
    const client = new pg.Client(url.href);
    await client.connect();
    await read(async (sql) => (await client.query<T>(sql)).rows);
    await client.end();
  };
  const found: string[] = [];
  let controls = 0;
  const databases: string[] = [];
  await rowsOf<{ name: string }>('postgres', async (ask) => {
    for (const { name } of await ask('select datname as name from pg_database where datallowconn')) databases.push(name);
  });
  expect(databases).toEqual(expect.arrayContaining(['accessops', 'prod']));
  for (const database of databases) {
    await rowsOf<Record<string, string>>(database, async (ask) => {
      const tables = await ask(
        `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname <> 'information_schema'`,
      );
      for (const { name } of tables) {
        for (const { row = '' } of await ask(`select t::text as row from ${name} t`)) {
          const data = Buffer.from(row);
          controls += findControl(data).length;
          for (const secret of find(data)) found.push(`${database}.${name}: ${secret.slice(0, 4)}…`);
        }
      }
    });
  }
  expect(controls).toBeGreaterThan(3);
  expect(found).toEqual([]);
}, 120_000);
