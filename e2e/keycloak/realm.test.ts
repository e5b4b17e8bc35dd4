import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { call, login, until } from '../client.ts';
import { admin, pidOf } from './keycloak.ts';

const identityLog = () => readFileSync(join(inject('dataDir'), 'logs', 'identity.log'), 'utf8');

test('when a client is missing at the start, then the log says which, nobody signs up or in, and nothing is made, until it is there', async () => {
  const email = `early@${randomUUID().slice(0, 13)}.test`;
  const body = { email, password: 'quarry lamp seven bridges', firstName: 'Ada', lastName: 'Admin' };
  const register = () => call('POST', '/auth/register', { body });
  const [client] = await admin<{ id: string }[]>('GET', '/clients?clientId=accessops-admin');
  const rename = (clientId: string) => admin('PUT', `/clients/${client?.id}`, { clientId });
  await rename('accessops-elsewhere');
  const linesBefore = identityLog().length;
  try {
    process.kill(pidOf('identity'), 'SIGKILL');
    await until('identity says what is missing', async () =>
      identityLog().slice(linesBefore).includes('nobody can sign up or in: there is no client accessops-admin'),
    );
    await until('identity is back', async () => (await call('GET', '//health')).status === 200, 30_000);
    expect((await register()).status).toBe(503);
    expect((await login('requester@acme.test', 'accessops-demo-2026')).status).toBe(503);
    expect(await admin('GET', `/users?email=${encodeURIComponent(email)}&exact=true`)).toEqual([]);
    const database = new pg.Client(inject('keycloak').adminUrl);
    await database.connect();
    const sql = 'select from identity.account where email = $1 union all select from identity.keycloak_draft where email = $1';
    expect((await database.query(sql, [email])).rowCount).toBe(0);
    await database.end();
  } finally {
    await rename('accessops-admin');
  }
  expect((await register()).status).toBe(201);
  expect((await login(email, body.password)).status).toBe(200);
});
