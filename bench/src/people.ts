import type { Client } from 'pg';

/** Somebody of many, with a session. */
export interface Somebody {
  id: string;
  sessionId: string;
  slug: string;
}

const noTenant = '00000000-0000-0000-0000-000000000000';

/** Puts many people in many tenants straight into the database, each with a session; answers who picks one of them at random. */
export const seedPeople = async (
  database: Client,
  { tenants, peopleOfEach }: { tenants: number; peopleOfEach: number },
): Promise<() => Somebody> => {
  const run = `crowd-${tenants}`;
  await database.query(`set search_path = identity`);
  await database.query(
    `insert into tenant (id, slug, name, domain, status, version, created_at, updated_at)
     select gen_random_uuid(), $1 || '-' || n, 'Crowd ' || n, $1 || '-' || n || '.test', 'ACTIVE', 1, now(), now() from generate_series(1, $2::int) n`,
    [run, tenants],
  );
  await database.query(
    `insert into account (id, email, password_hash, first_name, last_name, version, created_at, updated_at)
     select gen_random_uuid(), n || '@' || slug || '.test', '', 'Una', 'User', 1, now(), now()
       from tenant, generate_series(1, $2::int) n where slug like $1 || '-%'`,
    [run, peopleOfEach],
  );
  await database.query(
    `insert into app_user (tenant_id, id, email, first_name, last_name, org_roles, version, created_at, updated_at)
     select t.id, a.id, a.email, 'Una', 'User', '{requester}', 1, now(), now()
       from account a join tenant t on a.email like '%@' || $1 || '-%' and t.slug = split_part(split_part(a.email, '@', 2), '.', 1)`,
    [run],
  );
  await database.query(
    `insert into session (id, tenant_id, account_id, audience, created_at, expires_at)
     select gen_random_uuid(), $2, id, 'app', now(), now() + interval '1 day' from account where email like '%@' || $1 || '-%'`,
    [run, noTenant],
  );
  await database.query('analyze tenant, account, app_user, session');
  const { rows } = await database.query<Somebody>(
    `select a.id, s.id as "sessionId", split_part(split_part(a.email, '@', 2), '.', 1) as slug
       from account a join session s on s.account_id = a.id where a.email like '%@' || $1 || '-%'`,
    [run],
  );
  return () => rows[Math.floor(Math.random() * rows.length)] as Somebody;
};
