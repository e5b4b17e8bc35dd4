import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findSshPrograms, type SshPrograms } from '@accessops/dev';
import { startOnFreePort } from '@accessops/testing';
import { end } from './child.ts';
import { strangeWord } from './targets/real-target.ts';

const helper = fileURLToPath(new URL('../../../deploy/targets/accessops-ssh', import.meta.url));

/** What docs/connectors.md has people put into the configuration of sshd. */
const documented =
  /accessops\.conf <<'END'\n(.*?)\nEND\n/s.exec(readFileSync(new URL('../../../docs/connectors.md', import.meta.url), 'utf8'))?.[1] ?? '';

/** An SSH server of a test's own, set up as docs/connectors.md says. */
export interface SshHost {
  port: number;
  /** As in the environment, without the address. */
  settings: { HOST_KEY: string; KEY: string; CA_KEY: string; USER: string };
  /** What the host does with commands of ours: nothing special, cannot carry them out, or does and never answers, or says something else. */
  set(manner: 'well' | 'broken' | 'mute' | 'garbled'): void;
  /** Runs something there as the holder of a credential; `options` are of ssh. */
  run(credential: Record<string, unknown>, command: string, ...options: string[]): { code: number | null; said: string };
  /** The same, but goes on. */
  start(credential: Record<string, unknown>, ...options: string[]): ChildProcess;
  /** Whether its holder gets in. */
  letsIn(credential: Record<string, unknown>): Promise<boolean>;
  /** Whether the certificate of a credential is on the revocation list. */
  isRevoked(credential: Record<string, unknown>): boolean;
  /** What the host remembers of an access: what is in its file, if there is one. */
  access(key: string): string | undefined;
  setAccess(key: string, content: string | undefined): void;
  /** Lets a key in to an account, as an administrator would; answers its fingerprint. */
  letIn(user: string): string;
  /** What is in force at the server under this name, in small letters. */
  setting(name: string): string | undefined;
  /** What a certificate says. */
  describe(credential: Record<string, unknown>): string;
  close(): Promise<void>;
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('data', () => socket.destroy()).on('error', () => resolve(false));
    socket.on('close', () => resolve(true));
  });

const startWith = async ({ sshd, ssh, sshKeygen }: SshPrograms): Promise<SshHost> => {
  // sshd runs no program that lies in a folder where others may write.
  const folder = mkdtempSync('/run/accessops-test-');
  chmodSync(folder, 0o755);
  const at = (name: string) => join(folder, name);
  const makeKey = (name: string) => execFileSync(sshKeygen, ['-q', '-t', 'ed25519', '-N', '', '-f', at(name)]);
  for (const name of ['ca', 'host', 'hands']) makeKey(name);
  const state = at('state');
  mkdirSync(state);
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  copyFileSync(at('ca.pub'), join(state, 'ca.pub'));
  copyFileSync(helper, at('accessops-ssh'));
  chmodSync(at('accessops-ssh'), 0o755);
  execFileSync(at('accessops-ssh'), ['setup', state]);
  writeFileSync(
    at('serve'),
    [
      '#!/bin/sh',
      `[ ! -e ${at('broken')} ] || { echo ${strangeWord} >&2; exit 3; }`,
      `answer=$(${at('accessops-ssh')} serve ${state}) || exit`,
      `[ ! -e ${at('mute')} ] || sleep 30`,
      `[ ! -e ${at('garbled')} ] || answer=${strangeWord}`,
      'echo "$answer"',
      '',
    ].join('\n'),
    { mode: 0o755 },
  );
  const keysOf = (user: string) => join(state, 'keys', user);
  writeFileSync(keysOf('root'), `restrict,command="${at('serve')} serve ${state}" ${readFileSync(at('hands.pub'), 'utf8')}`, {
    mode: 0o644,
  });
  const settings = [
    'ListenAddress 127.0.0.1',
    `HostKey ${at('host')}`,
    'PidFile none',
    // Before what the documents say: here holders are let in as root.
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'MaxStartups 100',
    documented.replaceAll('/etc/accessops-ssh', state).replaceAll('/usr/local/sbin', folder),
  ];
  writeFileSync(at('sshd_config'), `${settings.join('\n')}\n`);
  const { port, server } = await startOnFreePort(
    (free) => spawn(sshd, ['-D', '-e', '-f', at('sshd_config'), '-p', String(free)], { stdio: 'ignore' }),
    answers,
  );

  const fileOf = (key: string) => join(state, 'access', key);
  let credentials = 0;
  const argumentsOf = (credential: Record<string, unknown>, options: string[]) => {
    const file = at(`credential-${credentials++}`);
    writeFileSync(file, String(credential.privateKey), { mode: 0o600 });
    writeFileSync(`${file}-cert.pub`, `${String(credential.certificate)}\n`);
    writeFileSync(`${file}.known`, `[127.0.0.1]:${port} ${String(credential.hostKey)}\n`);
    const set = [`UserKnownHostsFile=${file}.known`, 'StrictHostKeyChecking=yes', 'BatchMode=yes', 'IdentitiesOnly=yes', 'LogLevel=ERROR'];
    const flags = ['-F', 'none', '-i', file, '-p', String(port), ...set.flatMap((option) => ['-o', option])];
    return { file, args: [...flags, ...options, `${String(credential.username)}@127.0.0.1`] };
  };
  const certificateOf = (credential: Record<string, unknown>) => `${argumentsOf(credential, []).file}-cert.pub`;

  return {
    port,
    settings: {
      HOST_KEY: readFileSync(at('host.pub'), 'utf8'),
      KEY: readFileSync(at('hands'), 'utf8'),
      CA_KEY: readFileSync(at('ca'), 'utf8'),
      USER: 'root',
    },
    set: (manner) => {
      for (const name of ['broken', 'mute', 'garbled']) rmSync(at(name), { force: true });
      if (manner !== 'well') writeFileSync(at(manner), '');
    },
    run: (credential, command, ...options) => {
      const { status, stdout, stderr } = spawnSync(ssh, [...argumentsOf(credential, options).args, command], {
        encoding: 'utf8',
        timeout: 60_000,
      });
      return { code: status, said: (stdout + stderr).trim() };
    },
    letsIn: (credential) =>
      new Promise((resolve) => {
        execFile(ssh, [...argumentsOf(credential, []).args, 'true'], { timeout: 60_000 }, (error) => resolve(error === null));
      }),
    start: (credential, ...options) => spawn(ssh, argumentsOf(credential, options).args, { stdio: ['pipe', 'pipe', 'ignore'] }),
    isRevoked: (credential) => spawnSync(sshKeygen, ['-Q', '-f', join(state, 'revoked.krl'), certificateOf(credential)]).status !== 0,
    access: (key) => (existsSync(fileOf(key)) ? readFileSync(fileOf(key), 'utf8') : undefined),
    setAccess: (key, content) => {
      if (content === undefined) rmSync(fileOf(key), { force: true });
      else writeFileSync(fileOf(key), `${content}\n`);
    },
    letIn: (user) => {
      makeKey('other');
      appendFileSync(keysOf(user), readFileSync(at('other.pub')));
      return execFileSync(sshKeygen, ['-lf', at('other.pub')], { encoding: 'utf8' }).split(' ')[1] ?? '';
    },
    setting: (name) =>
      new RegExp(`^${name} (.*)$`, 'm')
        .exec(execFileSync(sshd, ['-T', '-f', at('sshd_config')], { encoding: 'utf8' }))?.[1]
        ?.replaceAll(state, 'DIR'),
    describe: (credential) => execFileSync(sshKeygen, ['-L', '-f', certificateOf(credential)], { encoding: 'utf8' }),
    close: async () => {
      await end(server, 'SIGTERM');
      // Sessions end a moment later.
      rmSync(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
    },
  };
};

/** A host that runs; undefined when there are no programs for it on this machine. */
export const startSshHost = async (): Promise<SshHost | undefined> => {
  const programs = findSshPrograms((line) => process.stderr.write(`${line}\n`));
  return programs && startWith(programs);
};
