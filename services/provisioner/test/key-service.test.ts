import { randomBytes } from 'node:crypto';
import { AppError } from '@accessops/errors';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KeyWrapper } from '../src/credentials/key-wrapper.ts';
import { createLocalKeys } from '../src/credentials/local-keys.ts';
import { type Suite, startSuite } from './suite.ts';

/** Stands for a key management service: asked over a network that may be away or slow. */
const local = createLocalKeys({ current: 'k1', keys: { k1: randomBytes(32) } });
let network = Promise.resolve();
let unwrapped = 0;
const keys: KeyWrapper = {
  formerKeyIds: [],
  wrap: async (...input) => {
    await network;
    return local.wrap(...input);
  },
  unwrap: async (...input) => {
    unwrapped += 1;
    await network;
    return local.unwrap(...input);
  },
};
const takeAway = () => {
  network = Promise.reject(new AppError('DEPENDENCY_UNAVAILABLE', 'The key service cannot be reached'));
  network.catch(() => undefined);
};
const bringBack = () => {
  network = Promise.resolve();
};
const slowDown = () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  network = promise;
  return resolve;
};

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite({ overrides: { keys } });
});
afterAll(() => suite.close());

const read = async (grantId: string) => (await suite.as(suite.requester)).readCredential({ grantId });
const activeGrant = async () => {
  const requestId = await suite.approve();
  return { requestId, ...(await suite.grantIs(requestId, ['ACTIVE'])) };
};

test('when the key service is away while access is made, then it is tried again, and there is one access with one credential', async () => {
  takeAway();
  const requestId = await suite.approve();
  await until(async () => (await suite.actions(requestId)).includes('JOB_RETRY_SCHEDULED'));
  expect(await suite.job(requestId)).toMatchObject({ last_error: 'The key service cannot be reached' });
  bringBack();
  const { id } = await suite.grantIs(requestId, ['ACTIVE']);
  const job = await suite.job(requestId);
  expect(await suite.target(job?.id ?? '')).toMatchObject({ present: true, times_created: 1 });
  const { password } = JSON.parse((await read(id)).credentialJson);
  const good = 'select 1 from simulated_target where key = $1 and password_digest = sha256($2)';
  expect((await suite.sql.query(good, [job?.id, Buffer.from(password)])).rowCount).toBe(1);
});

test('when it is away while a credential is read, then nothing is handed out, and it can be read later, once', async () => {
  const { id, requestId } = await activeGrant();
  takeAway();
  await expect(read(id)).rejects.toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE' });
  bringBack();
  expect(await suite.actions(requestId)).not.toContain('CREDENTIAL_READ');
  expect(JSON.parse((await read(id)).credentialJson)).toMatchObject({ password: expect.any(String) });
  await expect(read(id)).rejects.toMatchObject({ code: 'CREDENTIAL_ALREADY_READ' });
});

test('when it is slow, then many readers hold nothing up meanwhile, and one of them gets the credential', async () => {
  const { id } = await activeGrant();
  const before = unwrapped;
  const answer = slowDown();
  const reads = Promise.allSettled(Array.from({ length: 4 }, () => read(id)));
  await until(() => unwrapped === before + 4);
  expect((await suite.sql.query('select 1 from credential where grant_id = $1 for update nowait', [id])).rowCount).toBe(1);
  answer();
  const codes = (await reads).map((result) => (result.status === 'rejected' ? result.reason.code : 'ok'));
  expect(codes.sort()).toEqual([...Array(3).fill('CREDENTIAL_ALREADY_READ'), 'ok']);
});

test('when access ends while its credential is being opened, then nobody gets it', async () => {
  const { id, requestId } = await activeGrant();
  const before = unwrapped;
  const answer = slowDown();
  const reading = Promise.allSettled([read(id)]);
  await until(() => unwrapped === before + 1);
  await (await suite.as(suite.admin)).revokeGrant({ id });
  answer();
  expect(await reading).toMatchObject([{ status: 'rejected', reason: { code: 'GRANT_NOT_ACTIVE' } }]);
  expect(await suite.actions(requestId)).not.toContain('CREDENTIAL_READ');
});
