import { PassThrough } from 'node:stream';
import { connectBroker } from '@accessops/events';
import { connect } from '@accessops/grpc';
import { IdentityService } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { createLogger } from '@accessops/telemetry';
import { infrastructure, until } from '@accessops/testing';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startIdentity } from '../src/app.ts';
import { configFrom } from '../src/config.ts';
import { anonymously, codeOf, type Harness, logIn, newTenant, password, startHarness, unique } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

test('when a session ends or a role changes, then whoever listens to the subject hears of it, once', async () => {
  const tenant = await newTenant(harness);
  const broker = await connectBroker(infrastructure().nats);
  onTestFinished(() => broker.close());
  // By the id of the event: what the server has not confirmed in time is sent again, under the same.
  const heard = new Map<string | undefined, string>();
  const told = (event: string) => [...heard.values()].filter((one) => one === `${event} ${tenant.id}`).length;
  broker.connection.subscribe(`${harness.environment.EVENTS_NAMESPACE}.identity.>`, {
    callback: (_, { headers }) => heard.set(headers?.get('ce-id'), `${headers?.get('ce-type')} ${headers?.get('ce-tenantid')}`),
  });
  await broker.connection.flush();
  const { refreshToken } = await logIn(harness, tenant.admin.email);
  await harness.client.logout({ refreshToken }, await anonymously());
  await until(() => told('SessionEnded'), { what: 'the end of the session' });
  const person = await tenant.add('p', ['requester']);
  await harness.client.updateMembership({ userId: person.id, orgRoles: [] }, await tenant.asAdmin());
  await until(() => told('MembershipChanged'), { what: 'the change of roles' });
  expect(told('SessionEnded')).toBe(1);
});

test('when calls succeed and fail, then no log holds a password, a hash or a token', async () => {
  const output = new PassThrough();
  let written = '';
  output.on('data', (chunk: Buffer) => {
    written += chunk.toString();
  });
  const service = await startIdentity(configFrom(harness.environment), { log: createLogger('identity', 'trace', output) });
  const client = connect(IdentityService, service.address);
  const who = { email: `${unique('p')}@people.test`, password, firstName: 'Ada', lastName: 'Doe' };
  await client.register(who, await anonymously());
  expect(await codeOf(client.register(who, await anonymously()))).toBe('EMAIL_TAKEN');
  const session = await client.login({ email: who.email, password }, await anonymously());
  await client.refresh({ refreshToken: session.refreshToken }, await anonymously());
  await codeOf(client.refresh({ refreshToken: session.refreshToken }, await anonymously()));

  // An error that nobody expects is the likeliest to tell too much: the database refuses to store the account.
  await harness.admin.query(`alter table account add constraint refused check (first_name <> 'Refused')`);
  const refused = { ...who, email: `${unique('p')}@people.test`, firstName: 'Refused' };
  expect(await codeOf(client.register(refused, await anonymously()))).toBe('INTERNAL_ERROR');
  await harness.admin.query('alter table account drop constraint refused');
  client.close();
  await service.close();
  expect(written).toContain('call failed unexpectedly');
  for (const secret of [password, 'argon2id', session.accessToken, session.refreshToken]) expect(written).not.toContain(secret);
});
