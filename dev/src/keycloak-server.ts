import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openCache } from './cache-folder.ts';
import { findProgram } from './find-program.ts';
import { runProgram } from './run-program.ts';
import { StartError } from './start-error.ts';

const version = '26.7.3';
const oldestJava = 17;
const artifact = `org.keycloak:keycloak-quarkus-dist:${version}:tar.gz`;
const copyGoal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy';
const downloadWithinMs = 600_000;
const buildWithinMs = 300_000;

/** A Keycloak server that has been fetched and built, and the Java to run it with. */
export interface KeycloakServer {
  java: string;
  /** Folder of the distribution; shared by all platforms, so nothing is written to it. */
  directory: string;
}

/** What this machine lacks for a Keycloak, as a sentence that says what to install; undefined when it lacks nothing. */
export const missingForKeycloak = async (): Promise<string | undefined> => {
  const needed = `Keycloak needs a JDK of version ${oldestJava} or newer and Maven on PATH (Debian: apt-get install default-jdk-headless maven)`;
  if (!findProgram('java') || !findProgram('mvn')) return `${needed}.`;
  const { output } = await runProgram('java', ['-version'], { timeoutMs: 20_000 });
  const found = Number(/version "(\d+)/.exec(output)?.[1] ?? 0);
  return found < oldestJava ? `${needed}; the java on PATH is of version ${found || 'unknown'}.` : undefined;
};

const lastLineOf = (output: string): string => output.trim().split('\n').at(-1) ?? '';

const fetchAndBuild = async (scratch: string, progress: (line: string) => void, signal?: AbortSignal) => {
  const run = async (program: string, args: string[], timeoutMs: number, what: string) => {
    const { code, output } = await runProgram(program, args, { cwd: scratch, timeoutMs, signal });
    signal?.throwIfAborted();
    if (code !== 0) throw new StartError(`Keycloak could not be ${what}: ${lastLineOf(output)}`);
  };
  progress(`Getting Keycloak ${version} through Maven (176 MB, once) …`);
  await run('mvn', ['-B', '-ntp', '-q', copyGoal, `-Dartifact=${artifact}`, `-DoutputDirectory=${scratch}`], downloadWithinMs, 'fetched');
  await run('tar', ['-xzf', `keycloak-quarkus-dist-${version}.tar.gz`], buildWithinMs, 'unpacked');
  progress('Building Keycloak for PostgreSQL (once, half a minute) …');
  await run(
    join(scratch, `keycloak-${version}`, 'bin', 'kc.sh'),
    ['build', '--db=postgres', '--health-enabled=true'],
    buildWithinMs,
    'built',
  );
};

/** Finds the Keycloak of this user's cache, or fetches and builds it. Throws a StartError that says what to install. */
export const findKeycloak = async (progress: (line: string) => void, signal?: AbortSignal): Promise<KeycloakServer> => {
  const lacks = await missingForKeycloak();
  if (lacks) throw new StartError(lacks);
  const cache = openCache();
  const directory = join(cache, `keycloak-${version}`);
  if (!existsSync(directory)) {
    const scratch = mkdtempSync(join(cache, 'part-'));
    try {
      await fetchAndBuild(scratch, progress, signal);
      // Renamed when it is whole; another platform may have been faster.
      if (!existsSync(directory)) renameSync(join(scratch, `keycloak-${version}`), directory);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }
  return { java: findProgram('java') ?? 'java', directory };
};
