import { newId } from '@accessops/db';
import { createTargetDatabase, logIn } from '../target.ts';
import { plain, type RealTarget, strangeWord } from './real-target.ts';

/** A database of a real PostgreSQL. */
export const startPostgres = async (): Promise<RealTarget> => {
  const target = await createTargetDatabase();
  const roleOf = (key: string) => `accessops_${plain(key)}`;
  const reader = target.roles.reader.replaceAll('"', '""');
  const others: string[] = [];
  return {
    connector: 'postgres',
    port: target.port,
    login: (port) => ({ URL: target.url(port) }),
    config: (login) => ({ login, roles: { reader: [target.roles.reader] } }),
    letsIn: (credential) =>
      logIn({ ...credential, port: target.port }).then(
        (client) => client.query('select * from customer').then(() => client.end().then(() => true)),
        () => false,
      ),
    endOf: async (key) =>
      (await target.sql.query<{ end: Date }>('select rolvaliduntil as end from pg_roles where rolname = $1', [roleOf(key)])).rows[0]?.end ??
      new Date(0),
    objectsOf: async (key) =>
      (await target.sql.query<{ rolname: string }>('select rolname from pg_roles where rolname = $1', [roleOf(key)])).rows.map(
        ({ rolname }) => rolname,
      ),
    moments: { halfway: /alter role/, given: /^Q.{4}commit/s, taken: /drop role/ },
    unsure: { down: false, halfway: false },
    // Messages that end before they should, or never.
    strangers: ['T\0\0\0\x04', `E\0\0\0\x0c${strangeWord}!`, `E${strangeWord}\0`],
    takeAway: async (key) => {
      await target.sql.query(`drop owned by "${roleOf(key)}"; drop role "${roleOf(key)}"`);
    },
    leave: async (key) => {
      await target.sql.query(`create role "${roleOf(key)}" login; grant "${roleOf(key)}" to "${target.loginName}" with admin true`);
    },
    giveToOther: async () => {
      const name = `other_${newId()}`;
      others.push(name);
      await target.sql.query(`create role "${name}" login; grant "${reader}" to "${name}"`);
      return name;
    },
    close: async () => {
      for (const name of others) await target.sql.query(`drop role "${name}"`);
      await target.drop();
    },
  };
};
