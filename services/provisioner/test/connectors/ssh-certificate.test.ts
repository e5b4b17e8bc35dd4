import { once } from 'node:events';
import { newId } from '@accessops/db';
import { until } from '@accessops/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Access, type Connector, finalFence } from '../../src/connector.ts';
import { createSshCertificateConnector } from '../../src/connectors/ssh-certificate/ssh-certificate.ts';
import { newAccess } from '../access.ts';
import { patient } from '../patient.ts';
import { startSshHost } from '../ssh-host.ts';
import { type Suite, startSuite } from '../suite.ts';
import { describeExtension } from '../targets/describe-extension.ts';
import { strangeWord } from '../targets/real-target.ts';
import { startSsh } from '../targets/ssh.ts';

const patience = 90_000;
const signal = new AbortController().signal;
const host = await startSshHost();

describe.runIf(host)('access to hosts', () => {
  if (!host) return;
  let impatient: Connector;
  let connector: Connector;
  beforeAll(async () => {
    const tenants = new Set(['acme']);
    const ADDRESS = `127.0.0.1:${host.port}`;
    const login = (name: string, more: object = {}) => [name, { name, settings: { ...host.settings, ADDRESS, ...more }, tenants }] as const;
    impatient = createSshCertificateConnector(
      new Map([
        login('web'),
        login('other-ca', { CA_KEY: host.settings.KEY }),
        login('wrong-key', { KEY: host.settings.CA_KEY }),
        login('wrong-host', { HOST_KEY: `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${'B'.repeat(42)}A` }),
        login('nowhere', { ADDRESS: '127.0.0.1:1' }),
      ]),
    );
    connector = patient(impatient);
  });
  afterEach(() => host.set('well'));
  afterAll(() => host.close());

  const config = { login: 'web', roles: { operator: ['root'] } };
  const access = (partial: Partial<Access> = {}): Access => newAccess({ resourceKey: 'web-1', role: 'operator', config, ...partial });
  const end = (wanted: Access) => connector.revoke({ ...wanted, fence: finalFence }, signal);

  test('when access is made, then its certificate logs in to the account it is for, and gives a terminal and nothing else', async () => {
    const wanted = access();
    const { credential } = await connector.apply(wanted, signal);
    expect(host.run(credential, 'id -un')).toEqual({ code: 0, said: 'root' });
    expect(host.run({ ...credential, username: 'nobody' }, 'id -un').code).toBe(255);
    const said = host.describe(credential);
    expect(said).toMatch(/Principals:\s+root\s+Critical Options: \(none\)\s+Extensions:\s+permit-pty\s*$/);
    expect(said).toContain(`Key ID: "accessops_${wanted.key.replaceAll('-', '')}"`);
    expect(host.run(credential, 'id -un', '-o', 'ExitOnForwardFailure=yes', '-R', '0:127.0.0.1:1').code).toBe(255);
    await end(wanted);
  });

  test('when access ends, then the certificate is revoked, and connections that were open are gone with what ran in them', async () => {
    const wanted = access();
    const { credential } = await connector.apply(wanted, signal);
    const idle = host.start(credential, '-N');
    const busy = host.start(credential, '-tt');
    busy.stdin?.write('echo "shell" $$; sleep 600\n');
    const pid = await new Promise<number>((resolve) => {
      let said = '';
      busy.stdout?.on('data', (data: Buffer) => {
        said += data.toString();
        const found = /shell (\d+)/.exec(said)?.[1];
        if (found) resolve(Number(found));
      });
    });
    expect(await connector.verify(wanted, signal)).toBe(true);
    const ended = Promise.all([once(idle, 'exit'), once(busy, 'exit')]);
    await end(wanted);
    await ended;
    await until(() => {
      try {
        return !process.kill(pid, 0);
      } catch {
        return true;
      }
    });
    expect(host.run(credential, 'true').code).toBe(255);
    expect(host.isRevoked(credential)).toBe(true);
    expect(await connector.verify(wanted, signal)).toBe(false);
    await end(wanted);
  });

  test('when nobody comes to take access away, then the host lets nobody in after its time', async () => {
    const wanted = access({ durationMs: 2000 });
    const { credential } = await connector.apply(wanted, signal);
    await until(() => host.run(credential, 'true').code === 255);
    await end(wanted);
  });

  test('when it is applied twice under one key, then the later certificate counts and the former does not', async () => {
    const wanted = access();
    const first = await connector.apply(wanted, signal);
    const second = await connector.apply({ ...wanted, attempt: 2, fence: 2 }, signal);
    expect(host.run(first.credential, 'true').code).toBe(255);
    expect(host.run(second.credential, 'true').code).toBe(0);
    await end(wanted);
    expect([host.isRevoked(first.credential), host.isRevoked(second.credential)]).toEqual([true, true]);
  });

  test('when access is extended, then both certificates log in, open connections stay, and all of it ends at the end', async () => {
    const wanted = access({ durationMs: 600_000 });
    await expect(connector.extend?.(wanted, signal)).rejects.toMatchObject({ kind: 'refused' });
    const { credential: first } = await connector.apply(wanted, signal);
    const open = host.start(first, '-N');
    const second = (await connector.extend?.({ ...wanted, fence: 2, durationMs: 1_200_000 }, signal)) ?? {};
    const third = (await connector.extend?.({ ...wanted, fence: 3, durationMs: 1_800_000 }, signal)) ?? {};
    expect([first, second, third].map((credential) => host.run(credential, 'true').code)).toEqual([0, 0, 0]);
    expect(open.exitCode).toBeNull();
    const { credential: renewed } = await connector.apply({ ...wanted, fence: 4 }, signal);
    expect([first, second, third, renewed].map((credential) => host.run(credential, 'true').code)).toEqual([255, 255, 255, 0]);
    const ended = once(open, 'exit');
    await end(wanted);
    await ended;
    expect(host.run(renewed, 'true').code).toBe(255);
    await expect(connector.extend?.({ ...wanted, fence: 5 }, signal)).rejects.toMatchObject({ kind: 'failed' });
  });

  test('when access of one ends, then that of another goes on', async () => {
    const [one, other] = [access(), access()];
    const mine = await connector.apply(one, signal);
    const theirs = await connector.apply(other, signal);
    await end(one);
    expect([host.run(mine.credential, 'true').code, host.run(theirs.credential, 'true').code]).toEqual([255, 0]);
    await end(other);
  });

  test('when access was taken away for good, then nothing under its key brings it back, nor does a late worker take it', async () => {
    const wanted = access();
    await connector.apply({ ...wanted, fence: 2 }, signal);
    await expect(connector.apply(wanted, signal)).rejects.toMatchObject({ kind: 'failed' });
    await connector.revoke(wanted, signal);
    expect(await connector.verify(wanted, signal)).toBe(true);
    await end(wanted);
    await expect(connector.apply({ ...wanted, fence: 7 }, signal)).rejects.toMatchObject({ kind: 'failed' });
    const never = access();
    await end(never);
    await expect(connector.apply(never, signal)).rejects.toMatchObject({ kind: 'failed' });
  });

  test('when several apply and revoke at once, then after the end nothing is there', async () => {
    const wanted = access();
    const calls = [1, 2].flatMap((fence) => [
      connector.apply({ ...wanted, fence }, signal),
      connector.revoke({ ...wanted, fence }, signal),
    ]);
    await Promise.allSettled([...calls, end(wanted)]);
    expect(await connector.verify(wanted, signal)).toBe(false);
  });

  test.each([
    ['a login that there is not', { ...config, login: 'other' }, 'refused', /no login "other"/],
    ['an account that is none', { ...config, roles: { operator: ['root,nobody'] } }, 'refused', /roles\.operator\.0/],
    ['no meaning of the role', { ...config, roles: { reader: ['root'] } }, 'refused', /"operator"/],
    ['a key that the host does not know', { ...config, login: 'wrong-key' }, 'refused', /does not accept the key/],
    ['another host than expected', { ...config, login: 'wrong-host' }, 'refused', /Somebody else answers/],
    ['a host that is not there', { ...config, login: 'nowhere' }, 'failed', /cannot be reached/],
  ])('when the configuration names %s, then it is told so', async (_, wrong, kind, message) => {
    const hands = kind === 'refused' ? connector : impatient;
    await expect(hands.apply(access({ config: wrong }), signal)).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(message),
    });
  });

  test('when a host is set up as documented, then keys that accounts keep themselves let nobody in, and those of administrators are told of', async () => {
    expect(host.setting('authorizedkeysfile')).toBe('DIR/keys/%u');
    const list = () => connector.list?.({ ...access(), expected: [] }, signal);
    const keys = async () => (await list())?.filter(({ key }) => key === null);
    expect(await keys()).toEqual([]);
    const fingerprint = host.letIn('root');
    expect(await keys()).toMatchObject([{ name: expect.stringContaining(fingerprint) }]);
  });

  test('when a connection is checked, then people read what to put right', async () => {
    const check = (login: string, more: object = {}) =>
      connector.check({ tenantId: newId(), tenantSlug: 'acme', config: { ...config, login, ...more }, roles: ['operator'] }, signal);
    expect(await check('web')).toEqual([]);
    expect(await check('web', { roles: { operator: ['root', 'no-such-account'] } })).toEqual([
      { pointer: '/roles/operator/1', message: 'is no account of the host' },
    ]);
    expect(await check('other-ca')).toMatchObject([{ pointer: '/login', message: expect.stringContaining('public half of CA_KEY') }]);
    expect(await check('other')).toEqual([{ pointer: '/login', message: 'is no login that this organisation may use' }]);
    expect(await check('nowhere')).toMatchObject([{ pointer: '/login', message: expect.stringMatching(/cannot be reached/) }]);
  });

  describe('in jobs', () => {
    let suite: Suite;
    beforeAll(async () => {
      const variables = { ...host.settings, ADDRESS: `127.0.0.1:${host.port}`, TENANTS: 'acme' };
      const environment = Object.fromEntries(Object.entries(variables).map(([name, value]) => [`CONNECTOR_SSH_WEB_${name}`, value]));
      suite = await startSuite({ environment, overrides: { worker: { deadlineMs: 4000 } } });
      await suite.tellSlug();
    });
    afterAll(() => suite.close());

    const approve = () => suite.approve({ connector: 'ssh-certificate', config: { login: 'web', roles: { reader: ['root'] } } });
    const credentialOf = async (requestId: string): Promise<Record<string, unknown>> => {
      const { id } = await suite.grantIs(requestId, ['ACTIVE'], patience);
      const { credentialJson } = await (await suite.as(suite.requester)).readCredential({ grantId: id });
      return JSON.parse(credentialJson) as Record<string, unknown>;
    };

    test.each([
      ['cannot carry out a command', 'broken'],
      ['carries it out and times out', 'mute'],
      ['carries it out and says something else', 'garbled'],
    ] as const)(
      'when the host %s, then it is asked before it is told again, at both ends, and its words stay inside',
      {
        timeout: 2 * patience,
      },
      async (_, manner) => {
        host.set(manner);
        const requestId = await approve();
        const failed = await until(
          async () => {
            const { rows } = await suite.sql.query('select last_error, unsure from job where request_id = $1', [requestId]);
            // An attempt that a standstill has ended before it was heard of at the host tells nothing.
            return rows[0]?.last_error && rows[0].unsure && rows[0];
          },
          { timeoutMs: patience },
        );
        expect(failed).toEqual({ unsure: true, last_error: expect.not.stringContaining(strangeWord) });
        host.set('well');
        const credential = await credentialOf(requestId);
        expect(host.run(credential, 'true').code).toBe(0);
        host.set(manner);
        await suite.withdraw(requestId);
        await suite.grantIs(requestId, ['REVOKE_FAILED'], patience);
        expect((await suite.job(requestId, 'REVOKE'))?.last_error).not.toContain(strangeWord);
        host.set('well');
        await suite.grantIs(requestId, ['REVOKED'], patience);
        expect(host.run(credential, 'true').code).toBe(255);
      },
    );
  });
});

describeExtension(await startSsh(), { renews: true });
