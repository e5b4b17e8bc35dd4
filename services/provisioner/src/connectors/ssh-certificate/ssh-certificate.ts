import { sshCertificateConfig } from '@accessops/connectors';
import { type Access, type Connector, ConnectorError, nonsense, nothingToExtend } from '../../connector.ts';
import { type Logins, listBy, loginFor, loginOfGiven, tryLogin } from '../logins.ts';
import { meaningOf, readConfig } from '../read-config.ts';
import { endOf, hostKeyOf, issueCertificate, publicHalf } from './issue-certificate.ts';
import { readList } from './read-list.ts';
import { addressOf, runAtHost } from './run-at-host.ts';
import type { SshLogin } from './ssh-login.ts';

const seconds = (date: Date): number => Math.ceil(date.getTime() / 1000);

/**
 * Gives access to hosts by SSH: a key pair and a certificate per grant. The host keeps the latest word on each access
 * (`deploy/targets/accessops-ssh`), since a certificate alone cannot be taken back, and connections outlive it.
 */
export const createSshCertificateConnector = (logins: Logins<SshLogin>): Connector => {
  const open = (access: Access, loginOf: typeof loginOfGiven = loginFor) => {
    const { login, roles } = readConfig(sshCertificateConfig, access);
    return { login: loginOf(logins, login, access), roles };
  };

  const change = async (command: 'open' | 'extend' | 'close', access: Access, signal: AbortSignal): Promise<'ok' | 'stale' | 'closed'> => {
    const { login } = open(access, command === 'close' ? loginOfGiven : loginFor);
    const said = await runAtHost(login, [command, hostKeyOf(access), access.fence, seconds(endOf(access))], signal);
    if (said === 'ok' || said === 'stale' || said === 'closed') return said;
    throw nonsense('The host');
  };

  /** A new certificate, once the host has been told which attempts count from now on. */
  const certify = async (command: 'open' | 'extend', access: Access, signal: AbortSignal): Promise<Record<string, unknown>> => {
    const { login, roles } = open(access);
    const accounts = meaningOf(roles, access);
    const issued = await issueCertificate(login.settings.CA_KEY, access, accounts);
    const said = await change(command, access, signal);
    if (said === 'stale') throw new ConnectorError('failed', 'The host has heard from a later worker');
    if (said === 'closed') throw nothingToExtend();
    const { host, port } = addressOf(login);
    return { host, port, username: accounts[0], accounts, hostKey: login.settings.HOST_KEY, ...issued };
  };

  return {
    plan: async (access) => {
      const { login, roles } = open(access);
      const accounts = meaningOf(roles, access);
      return {
        steps: [
          `Sign a certificate for ${accounts.join(', ')} at ${login.settings.ADDRESS}, good for ${Math.ceil(access.durationMs / 60_000)} minutes`,
          'At the end: revoke it, and end its connections',
        ],
      };
    },

    apply: async (access, signal) => ({
      handle: { keyId: `accessops_${hostKeyOf(access)}` },
      credential: await certify('open', access, signal),
    }),

    extend: (access, signal) => certify('extend', access, signal),

    verify: async (access, signal) => {
      const said = await runAtHost(open(access, loginOfGiven).login, ['show', hostKeyOf(access)], signal);
      if (said === 'present' || said === 'absent') return said === 'present';
      throw nonsense('The host');
    },

    revoke: async (access, signal) => {
      await change('close', access, signal);
    },

    list: async (site, signal) => {
      const { login, roles } = readConfig(sshCertificateConfig, site);
      const accounts = new Set(Object.values(roles).flat());
      return listBy(logins, login, site, async (at) => readList(await runAtHost(at, ['list', ...accounts], signal)));
    },

    check: async (trial, signal) => {
      const { login: name, roles } = sshCertificateConfig.parse(trial.config);
      const asked = Object.fromEntries(trial.roles.map((role) => [role, meaningOf(roles, { role })]));
      return tryLogin(logins, name, trial, async (login) => {
        const said = await runAtHost(login, ['check', await publicHalf(login.settings.CA_KEY), ...Object.values(asked).flat()], signal);
        const missing = new Set(said.split('\n').flatMap((line) => /^missing (\S+)$/.exec(line)?.[1] ?? []));
        return Object.entries(asked).flatMap(([role, accounts]) =>
          accounts.flatMap((account, index) =>
            missing.has(account) ? [{ pointer: `/roles/${role}/${index}`, message: 'is no account of the host' }] : [],
          ),
        );
      });
    },
  };
};
