import { randomUUID } from 'node:crypto';
import { until } from '@accessops/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { call, login, must, rememberSecret } from '../client.ts';
import { mailedToken } from '../mail.ts';
import { admin, isUp, pidOf } from './keycloak.ts';

const password = 'quarry lamp seven bridges';

interface UserThere {
  enabled: boolean;
}

// How a registration ends that was broken off shows only after half a minute and more: all are begun first.
describe('kill -9 in between', { timeout: 300_000 }, () => {
  const client = new pg.Client(inject('keycloak').adminUrl);
  const keycloakClient = new pg.Client(Object.assign(new URL(inject('keycloak').adminUrl), { pathname: '/keycloak' }).href);
  const newAddress = () => `orphan@${randomUUID().slice(0, 13)}.test`;
  const register = (email: string) => call('POST', '/auth/register', { body: { email, password, firstName: 'Ada', lastName: 'Admin' } });
  const usersThere = (email: string) => admin<UserThere[]>('GET', `/users?email=${encodeURIComponent(email)}&exact=true`);
  const count = async (table: string, email: string) =>
    (await client.query(`select from identity.${table} where email = $1`, [email])).rowCount ?? 0;
  // Keycloak takes a quarter of a minute to start where nothing else runs.
  const platformIsUp = () => until(isUp, { what: 'that people can sign in again', timeoutMs: 240_000 });

  /** Does something to a registration that cannot go on: it waits for the lock of a table. */
  const whileWaiting = async (database: pg.Client, table: string, email: string, act: () => void) => {
    await database.query('begin');
    try {
      await database.query(`lock table ${table} in share mode`);
      const answer = register(email);
      const waits = async () =>
        (await database.query('select from pg_locks where relation = $1::regclass and not granted', [table])).rowCount;
      await until(async () => (await count('keycloak_draft', email)) === 1 && (await waits()), { what: 'a registration that waits' });
      act();
      // It goes on, or not, when the lock is gone.
      return answer;
    } finally {
      await database.query('rollback');
    }
  };
  /** Keycloak is making the user. */
  const inCreation = (email: string, act: () => void) => whileWaiting(keycloakClient, 'user_entity', email, act);
  /** Keycloak has made the user and has said so. */
  const inBetween = (email: string, act: () => void) => whileWaiting(client, 'identity.account', email, act);

  const [duringCreation, afterCreation, unnoticed, forgetful] = [newAddress(), newAddress(), newAddress(), newAddress()];
  const newPassword = `${password} again`;
  const statuses: Record<string, number> = {};

  beforeAll(async () => {
    await client.connect();
    await keycloakClient.connect();
    rememberSecret(newPassword);
    await register(forgetful);
    await must(204, 'POST', '/auth/password-reset', { body: { email: forgetful } });
    const token = await mailedToken(forgetful, 'reset-password');

    statuses[duringCreation] = (await inCreation(duringCreation, () => process.kill(pidOf('keycloak'), 'SIGKILL'))).status;
    statuses[forgetful] = (await call('POST', '/auth/password-reset/confirm', { body: { token, password: newPassword } })).status;
    await platformIsUp();

    statuses[afterCreation] = (await inBetween(afterCreation, () => process.kill(pidOf('keycloak'), 'SIGKILL'))).status;
    await platformIsUp();

    statuses[unnoticed] = (await inBetween(unnoticed, () => process.kill(pidOf('identity'), 'SIGKILL'))).status;
    await platformIsUp();
  }, 900_000);

  afterAll(async () => {
    await client.end();
    await keycloakClient.end();
  });

  /** Nobody is left on either side, and the address is as free as before. */
  const comesToNothing = async (email: string) => {
    await until(async () => (await count('keycloak_draft', email)) === 0, { what: 'the end of the draft', timeoutMs: 200_000 });
    expect(await usersThere(email)).toEqual([]);
    expect(await count('account', email)).toBe(0);
    expect((await register(email)).status).toBe(201);
    expect((await login(email, password)).status).toBe(200);
  };

  test('when Keycloak is killed while it makes the user, then 503, nobody is left on either side, and the address is free', async () => {
    expect(statuses[duringCreation]).toBe(503);
    await comesToNothing(duringCreation);
  });

  test('when Keycloak is killed after it made the user, then the person is there on both sides once it is back', async () => {
    expect(statuses[afterCreation]).toBe(201);
    expect(await count('account', afterCreation)).toBe(1);
    await until(async () => (await usersThere(afterCreation))[0]?.enabled, { what: 'a user who is enabled' });
    expect((await login(afterCreation, password)).status).toBe(200);
  });

  test('when a password is reset while Keycloak is away, then it is the new one that counts as soon as Keycloak is back', async () => {
    expect(statuses[forgetful]).toBe(204);
    expect((await login(forgetful, newPassword)).status).toBe(200);
    expect((await login(forgetful, password)).status).toBe(401);
  });

  test('when identity is killed after Keycloak made the user, then 503, nobody is left on either side, and the address is free', async () => {
    expect(statuses[unnoticed]).toBe(503);
    await comesToNothing(unnoticed);
  });
});
