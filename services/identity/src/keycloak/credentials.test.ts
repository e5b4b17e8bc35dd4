import { expect, test } from 'vitest';
import { passwordCredential } from './credentials.ts';

test('when a hash of argon2id is handed to Keycloak, then it is what Keycloak would have written itself', () => {
  const hash = '$argon2id$v=19$m=7168,t=5,p=1$kRpzL1agSvqbFYwzPkDZxg$9O4x1FIYk26eSzw4WdySmnH/p8o5MR1ZqOKFLqM/L+4';
  const { type, secretData = '', credentialData = '' } = passwordCredential(hash);
  expect(type).toBe('password');
  expect(JSON.parse(secretData)).toEqual({
    value: '9O4x1FIYk26eSzw4WdySmnH/p8o5MR1ZqOKFLqM/L+4=',
    salt: 'kRpzL1agSvqbFYwzPkDZxg==',
    additionalParameters: {},
  });
  expect(JSON.parse(credentialData)).toEqual({
    algorithm: 'argon2',
    hashIterations: 5,
    additionalParameters: { type: ['id'], version: ['1.3'], memory: ['7168'], parallelism: ['1'], hashLength: ['32'] },
  });
});
