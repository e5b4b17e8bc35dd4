import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { loop } from './load.ts';

/** What the database does with the same statements and nothing in front of it. */
export interface PostgresLimit {
  /** How it was measured. */
  by: 'pgbench' | 'driver';
  readsPerSecond: number;
  writesPerSecond: number;
}

const tables = `
  drop schema if exists bench cascade;
  create schema bench;
  create table bench.request (id uuid primary key, tenant_id uuid not null, status text not null, body text not null, created_at timestamptz(3) not null);
  create index on bench.request (tenant_id, created_at);
  create table bench.outbox (id bigint generated always as identity primary key, tenant_id uuid not null, payload bytea not null, created_at timestamptz(3) not null);
`;

const tenant = '0190a0a0-0000-7000-8000-000000000001';
const row = '0190a0a0-0000-7000-8000-000000000002';
const body = 'x'.repeat(300);

const readScript = `select * from bench.request where id = '${row}';\n`;
const writeScript = `begin;
select set_config('app.tenant_id', '${tenant}', true);
insert into bench.request values (gen_random_uuid(), '${tenant}', 'PENDING', '${body}', now());
insert into bench.outbox (tenant_id, payload, created_at) values ('${tenant}', '${body}'::bytea, now());
commit;
`;

const pgbench = async (url: string, script: string, clients: number, seconds: number): Promise<number> => {
  const file = join(mkdtempSync(join(tmpdir(), 'accessops-bench-')), 'script.sql');
  writeFileSync(file, script);
  const child = spawn('pgbench', ['-n', '-M', 'prepared', '-f', file, '-c', String(clients), '-j', '2', '-T', String(seconds), url]);
  let output = '';
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString();
  });
  await new Promise((resolve) => child.once('close', resolve));
  const found = output.match(/tps = ([\d.]+)/);
  if (!found) throw new Error(`pgbench printed no rate: ${output.slice(0, 500)}`);
  return Number(found[1]);
};

const driver = async (url: string, clients: number, seconds: number): Promise<PostgresLimit> => {
  const pool = new pg.Pool({ connectionString: url, max: clients });
  const write = async () => {
    const client = await pool.connect();
    try {
      await client.query({ name: 'begin', text: 'begin' });
      await client.query({ name: 'tenant', text: `select set_config('app.tenant_id', $1, true)`, values: [tenant] });
      await client.query({
        name: 'request',
        text: `insert into bench.request values ($1, $2, 'PENDING', $3, now())`,
        values: [randomUUID(), tenant, body],
      });
      await client.query({
        name: 'outbox',
        text: 'insert into bench.outbox (tenant_id, payload, created_at) values ($1, $2, now())',
        values: [tenant, Buffer.from(body)],
      });
      await client.query({ name: 'commit', text: 'commit' });
    } finally {
      client.release();
    }
  };
  const read = async () => {
    await pool.query({ name: 'read', text: 'select * from bench.request where id = $1', values: [row] });
  };
  const limit = {
    by: 'driver' as const,
    readsPerSecond: (await loop(clients, seconds, read)).perSecond,
    writesPerSecond: (await loop(clients, seconds, write)).perSecond,
  };
  await pool.end();
  return limit;
};

/** Measures reads of one row and the five-statement write: by pgbench when it is on PATH, else by the bare driver with prepared statements. */
export const measurePostgres = async (url: string, { clients, seconds }: { clients: number; seconds: number }): Promise<PostgresLimit> => {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  try {
    await admin.query(tables);
    await admin.query('insert into bench.request values ($1, $2, $3, $4, now())', [row, tenant, 'PENDING', body]);
    if (spawnSync('pgbench', ['--version']).status !== 0) return await driver(url, clients, seconds);
    return {
      by: 'pgbench',
      readsPerSecond: await pgbench(url, readScript, clients, seconds),
      writesPerSecond: await pgbench(url, writeScript, clients, seconds),
    };
  } finally {
    await admin.query('drop schema if exists bench cascade');
    await admin.end();
  }
};
