import { findProgram, isProgram } from './find-program.ts';
import { StartError } from './start-error.ts';

/** What a test needs to run an SSH server of its own. */
export interface SshPrograms {
  sshd: string;
  ssh: string;
  sshKeygen: string;
}

const missingHere = (): string | undefined => {
  // A certificate is checked by a program that only root may own.
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'it needs Linux and root';
  const lacks = ['ssh', 'ssh-keygen', 'pgrep', 'flock'].filter((name) => !findProgram(name));
  if (!findSshd()) lacks.unshift('sshd');
  return lacks.length > 0 ? `please install ${lacks.join(', ')} (Debian: apt-get install openssh-server procps)` : undefined;
};

const findSshd = (): string | undefined => process.env.SSHD ?? findProgram('sshd') ?? ['/usr/sbin/sshd'].find(isProgram);

/** The programs of OpenSSH on this machine, for tests; undefined when something is missing, which is told. With CI=true that is a StartError. */
export const findSshPrograms = (progress: (line: string) => void): SshPrograms | undefined => {
  const missing = missingHere();
  if (!missing) return { sshd: findSshd() ?? '', ssh: findProgram('ssh') ?? '', sshKeygen: findProgram('ssh-keygen') ?? '' };
  const text = `An SSH server for tests cannot be started: ${missing}.`;
  if (process.env.CI === 'true') throw new StartError(text);
  progress(`${text} Tests that need it are left out.`);
  return undefined;
};
