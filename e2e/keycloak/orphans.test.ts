import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { call, until } from '../client.ts';
import { admin, identityPid } from './keycloak.ts';

const register = (email: string) =>
  call('POST', '/auth/register', { body: { email, password: 'quarry lamp seven bridges', firstName: 'Ada', lastName: 'Admin' } });

const usersThere = (email: string) => admin<unknown[]>('GET', `/users?email=${encodeURIComponent(email)}&exact=true`);

/** The row of a registration that has been noted and whose user is being made. */
const drafted = async (client: pg.Client, email: string) =>
  (await client.query('select from identity.keycloak_draft where email = $1', [email])).rowCount === 1;

test('when identity is killed while Keycloak makes the user, then nobody is left on either side, and the address is free', async () => {
  const client = new pg.Client(inject('keycloak').adminUrl);
  await client.connect();
  try {
    const email = `orphan@${randomUUID().slice(0, 13)}.test`;
    const answer = register(email);
    await until('the registration is under way', () => drafted(client, email));
    process.kill(identityPid(), 'SIGKILL');
    expect((await answer).status).toBe(503);
    await until('the draft is gone', async () => !(await drafted(client, email)), 110_000);
    expect(await usersThere(email)).toEqual([]);
    const { rowCount } = await client.query('select from identity.account where email = $1', [email]);
    expect(rowCount).toBe(0);
    expect((await register(email)).status).toBe(201);
    await until('the user is enabled', async () => ((await usersThere(email)) as { enabled: boolean }[])[0]?.enabled);
  } finally {
    await client.end();
  }
});
