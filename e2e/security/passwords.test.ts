import { randomUUID } from 'node:crypto';
import { untilAlike } from '@accessops/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Answer, call, codeOf, login, rememberSecret, Tenant } from '../client.ts';

let tenant: Tenant;
beforeAll(async () => {
  tenant = await Tenant.create('passwords');
});

const newAddress = () => `${randomUUID()}@passwords.test`;
const register = (password: string, email = newAddress()): Promise<Answer> => {
  rememberSecret(password);
  return call('POST', '/auth/register', { body: { email, password, firstName: 'Una', lastName: 'User' } });
};
const random = (length: number) => `Kx9-${randomUUID()}${randomUUID()}${randomUUID()}${randomUUID()}`.slice(0, length);

describe('which passwords are taken', () => {
  test.each([12, 15, 64, 65, 100, 128])('when it has %i characters, then it is taken, and all of them count', async (length) => {
    const [email, password] = [newAddress(), random(length)];
    expect((await register(password, email)).status).toBe(201);
    expect((await login(email, password)).status).toBe(200);
    expect((await login(email, `${password.slice(0, -1)}#`)).status).toBe(401);
    expect((await login(email, password.slice(0, -1))).status).toBe(401);
  });

  test.each([
    'tractor paints eleven moons',
    'nodigitsnocapitalsnosigns',
    '4071 5529 8830 1274 66',
    'schöne grüße aus münchen',
    '鍵は三つの橋の下に隠してある',
    '🐢🦉🐝🦋🐌🐞🐜🦗🦂🐍🦎🦖',
    ' spaces at both ends count ',
  ])('when it is %j, then it is taken: nobody has to compose it of certain characters', async (password) => {
    const email = newAddress();
    expect((await register(password, email)).status).toBe(201);
    expect((await login(email, password)).status).toBe(200);
  });

  test.each([
    ['too short', 'Kx9-a7Qp2!z'],
    ['empty', ''],
    ['too long', random(129)],
    ['common', 'passwordpassword'],
    ['a common word dressed up', 'P@ssw0rd-2026!!'],
    ['a run of keys', 'qwertyuiop[]'],
    ['a run of digits', '123456789012'],
    ['a repetition', 'abcabcabcabc'],
    ['the name of the product', 'AccessOps2026!'],
  ])('when it is %s, then 422 names the field, at every door', async (_, password) => {
    const person = { email: newAddress(), password, firstName: 'Una', lastName: 'User' };
    const doors = [
      await register(password),
      await tenant.org('POST', '/users', { ...person, orgRoles: [] }),
      await call('POST', '/auth/register', {
        body: { ...person, organization: { name: 'New', slug: `new-${randomUUID().slice(0, 13)}` } },
      }),
    ];
    for (const answer of doors) {
      expect(answer.status).toBe(422);
      expect(JSON.stringify(answer.body.errors)).toContain('/password');
    }
  });

  test('when it is made of the own address, then it is refused', async () => {
    const email = `margarethe.${randomUUID().slice(0, 4)}@passwords.test`;
    for (const password of [`${email.split('@')[0]}1`, 'passwords.test-1'])
      expect(codeOf(await register(password, email))).toBe('PASSWORD_TOO_WEAK');
  });
});

describe('whether an address is known', () => {
  const withoutIds = ({ status, body: { requestId: _, ...body } }: Answer) => ({ status, body });
  const unknown = () => login(newAddress(), 'quarry lamp seven bridges');
  const known = () => login(tenant.admin.email, 'quarry lamp seven bridges');

  test('when somebody logs in with a wrong password, then the answer does not tell', async () => {
    const answers = [await known(), await unknown(), await login('no address at all', 'x')];
    for (const answer of answers) expect(withoutIds(answer)).toEqual(withoutIds(answers[0] as Answer));
  });

  test('when somebody asks for a new password, then the answer does not tell', async () => {
    const ask = (email: string) => call('POST', '/auth/password-reset', { body: { email } });
    expect(withoutIds(await ask(newAddress()))).toEqual(withoutIds(await ask(tenant.admin.email)));
  });

  test('when the time of the answers is taken, then it does not tell', async () => {
    expect(await untilAlike(known, unknown, { rounds: 5, between: [0.7, 1.4] })).toBeLessThan(1.4);
  });
});
