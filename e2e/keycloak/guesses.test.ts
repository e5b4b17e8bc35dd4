import { beforeAll, describe, expect, test } from 'vitest';
import { login, type Person, Tenant } from '../client.ts';
import { admin, directly } from './keycloak.ts';

const limit = 10;

describe('guesses that Keycloak counts', () => {
  let tenant: Tenant;

  beforeAll(async () => {
    tenant = await Tenant.create('kcguess');
  });

  const guesses = ({ id }: Person) => admin<{ disabled: boolean; numFailures: number }>('GET', `/attack-detection/brute-force/users/${id}`);
  const lockOut = async (owner: Person) => {
    for (let count = 0; count < limit; count++) await directly({ username: owner.email, password: `wrong password ${count}` });
    expect(await guesses(owner)).toMatchObject({ disabled: true });
  };

  test('when Keycloak keeps somebody out, then the right password lets them in here, and a wrong one does not', async () => {
    const owner = await tenant.person('kept-out', ['requester']);
    await lockOut(owner);
    expect((await login(owner.email, 'one more wrong password')).status).toBe(401);
    await lockOut(owner);
    expect((await login(owner.email, tenant.password)).status).toBe(200);
    expect(await guesses(owner)).toMatchObject({ disabled: false });
  });

  test('when nobody is kept out, then a guess here is one guess there', async () => {
    const owner = await tenant.person('guessed', ['requester']);
    for (let count = 1; count < limit; count++) {
      expect((await login(owner.email, `wrong password ${count}`)).status).toBe(401);
      expect(await guesses(owner)).toMatchObject({ disabled: false, numFailures: count });
    }
  });
});
