import { join } from 'node:path';
import { fetchProgram, type Source, takeProgram } from './fetch-program.ts';
import { findProgram, isProgram } from './find-program.ts';
import { runProgram } from './run-program.ts';
import { StartError } from './start-error.ts';

const version = '1.8.0';

const fromGo: Source = {
  name: 'its Go source (a few minutes, once)',
  isUsable: () => process.env.CI === 'true' && findProgram('go') !== undefined,
  fetch: async (target, scratch, signal) => {
    const options = { env: { GOBIN: scratch, GOFLAGS: '-trimpath', CGO_ENABLED: '0' }, timeoutMs: 900_000, signal };
    await runProgram('go', ['install', `github.com/versity/versitygw/cmd/versitygw@v${version}`], options);
    return takeProgram(join(scratch, 'versitygw'), target);
  },
};

/**
 * The path of an S3 server with users, for tests: the one that VERSITYGW names, else one on PATH, else one built earlier, or now with CI=true.
 * Undefined when there is none, which is told; with CI=true that is a StartError.
 */
export const findS3Server = async (progress: (line: string) => void): Promise<string | undefined> => {
  const named = process.env.VERSITYGW;
  if (named && isProgram(named)) return named;
  const found = findProgram('versitygw') ?? (await fetchProgram(`versitygw-${version}`, [fromGo], progress));
  if (found) return found;
  const missing = `An S3 server for tests is missing: go install github.com/versity/versitygw/cmd/versitygw@v${version}, or name one in VERSITYGW.`;
  if (process.env.CI === 'true') throw new StartError(missing);
  progress(`${missing} Tests that need it are left out.`);
  return undefined;
};
