import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findOpentofu } from '@accessops/dev';
import { infrastructure, until } from '@accessops/testing';
import pg from 'pg';
import type { Access, Connector } from '../src/connector.ts';
import { createOpentofuConnector } from '../src/connectors/opentofu/opentofu.ts';
import { opentofuLogin } from '../src/connectors/opentofu/opentofu-login.ts';
import { newAccess } from './access.ts';

/** What only the provisioner knows; modules are told. */
export const token = 'token-of-the-login-7f3a';

/** A room that modules make things in, and a database for their state, of a test's own. */
export interface ModulePlace {
  room: string;
  statePort: number;
  sql: pg.Pool;
  /** As in the environment; with the state straight or through a proxy on another port. */
  settings(statePort?: number): { MODULES: string; STATE_URL: string; PROGRAM: string; VARIABLES: string };
  /** What is in the room of this access. */
  things(key: string): string[];
  /** What its account says. */
  account(key: string): string | undefined;
  /** Waits until the module stands at its gate; answers the group of processes that runs it. */
  atGate(key: string): Promise<number>;
  openGate(): void;
  closeGate(): void;
  /** States and locks that there are. */
  states(): Promise<string[]>;
  locks(): Promise<number>;
  close(): Promise<void>;
}

/** The connector with logins by their names, each with what differs from the settings of the place. */
export const handsOf = (place: ModulePlace, logins: Record<string, { STATE_URL?: string; PROGRAM?: string }> = { main: {} }): Connector =>
  createOpentofuConnector(
    new Map(
      Object.entries(logins).map(([name, own]) => {
        const settings = opentofuLogin.parse({ ...place.settings(), ...own });
        return [name, { name, settings, tenants: new Set(['acme']) }];
      }),
    ),
  );

/** Access to the room by the module `account`. */
export const roomAccess = (partial: Partial<Access> = {}): Access =>
  newAccess({ resourceKey: 'room', role: 'reader', config: { login: 'main', module: 'account' }, ...partial });

const modules = fileURLToPath(new URL('modules', import.meta.url));

/** A place for modules, prepared as docs/connectors.md says; undefined without a program that runs them, which is told. */
export const createModulePlace = async (): Promise<ModulePlace | undefined> => {
  const program = await findOpentofu((line) => process.stderr.write(`${line}\n`));
  if (!program) return undefined;
  const { adminUrl } = infrastructure();
  const tag = randomBytes(5).toString('hex');
  const [name, login] = [`state_${tag}`, `hands_${tag}`];
  const url = Object.assign(new URL(adminUrl), { pathname: `/${name}` });
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`create role ${login} login password 'state-password'`);
  await admin.query(`create database ${name}`);
  await admin.query(`revoke all on database ${name} from public`);
  await admin.query(`grant connect on database ${name} to ${login}`);
  const sql = new pg.Pool({ connectionString: url.href, max: 2 });
  // Dropping the database ends what is still open.
  sql.on('error', () => undefined);
  await sql.query(`create schema accessops_state authorization ${login}`);
  const room = mkdtempSync(join(tmpdir(), 'accessops-room-'));
  const gate = join(room, 'go');
  const settings: ModulePlace['settings'] = (port = Number(url.port)) => ({
    MODULES: modules,
    STATE_URL: `postgres://${login}:state-password@127.0.0.1:${port}/${name}?sslmode=disable`,
    PROGRAM: program,
    VARIABLES: JSON.stringify({ room, token }),
  });
  return {
    room,
    statePort: Number(url.port),
    sql,
    settings,
    things: (key) => readdirSync(room).filter((file) => file.startsWith(key) && !/\.at(\.part)?$/.test(file)),
    account: (key) => {
      const file = join(room, `${key}.account`);
      return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    },
    atGate: async (key) => {
      const file = join(room, `${key}.at`);
      await until(async () => existsSync(file), { timeoutMs: 120_000, what: 'the gate' });
      const pid = Number(readFileSync(file, 'utf8'));
      rmSync(file);
      return pid;
    },
    openGate: () => writeFileSync(gate, ''),
    closeGate: () => rmSync(gate, { force: true }),
    states: async () => {
      const { rows } = await sql.query<{ there: boolean }>(`select to_regclass('accessops_state.states') is not null as there`);
      if (!rows[0]?.there) return [];
      return (await sql.query<{ name: string }>('select name from accessops_state.states')).rows.map((row) => row.name);
    },
    locks: async () => {
      const { rows } = await sql.query<{ number: string }>(
        `select count(*) as number from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = $1)`,
        [name],
      );
      return Number(rows[0]?.number);
    },
    close: async () => {
      await sql.end();
      await admin.query(`drop database ${name} with (force)`);
      await admin.query(`drop role ${login}`);
      await admin.end();
      // A run whose provisioner was killed may still be writing.
      rmSync(room, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
    },
  };
};
