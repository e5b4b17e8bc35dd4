import { randomBytes } from 'node:crypto';
import { startSshHost } from '../ssh-host.ts';
import { plain, type RealTarget, strangeWord } from './real-target.ts';

/** A real SSH server; undefined when there are no programs for it. */
export const startSsh = async (): Promise<RealTarget | undefined> => {
  const host = await startSshHost();
  if (!host) return undefined;
  const inAnHour = () => Math.ceil(Date.now() / 1000) + 3600;
  return {
    connector: 'ssh-certificate',
    port: host.port,
    login: (port) => ({ ...host.settings, ADDRESS: `127.0.0.1:${port}` }),
    config: (login) => ({ login, roles: { reader: ['root'] } }),
    letsIn: (credential) => host.letsIn(credential),
    endOf: async (key) => new Date(Number(host.access(plain(key))?.split(' ')[2]) * 1000),
    objectsOf: async (key) => (/ open /.test(host.access(plain(key)) ?? '') ? ['open'] : []),
    strangers: [`SSH-2.0-other\r\n${strangeWord}\r\n`],
    takeAway: async (key) => host.setAccess(plain(key), undefined),
    leave: async (key) => host.setAccess(plain(key), `1 open ${inAnHour()} 1`),
    giveToOther: async () => {
      // The host has accounts of others: another platform that trusts the same key signs for its own.
      const key = randomBytes(16).toString('hex');
      host.setAccess(key, `1 open ${inAnHour()} 1`);
      return `accessops_${key}`;
    },
    close: () => host.close(),
  };
};
