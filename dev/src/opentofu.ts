import { join } from 'node:path';
import { fetchProgram, type Source, takeProgram } from './fetch-program.ts';
import { findProgram, isProgram } from './find-program.ts';
import { runProgram } from './run-program.ts';
import { StartError } from './start-error.ts';

const version = '1.12.6';

const module = `github.com/opentofu/opentofu@v${version}`;

// Without this it takes itself for a development version.
const linked = '-s -w -X github.com/opentofu/opentofu/version.dev=no';

// Not `go install`, which refuses a module that replaces others.
const fromGo: Source = {
  name: 'its Go source (ten minutes, and on a busy machine half an hour; once)',
  isUsable: () => process.env.CI === 'true' && findProgram('go') !== undefined,
  fetch: async (target, scratch, signal) => {
    const env = { GOFLAGS: '-trimpath', CGO_ENABLED: '0' };
    await runProgram('go', ['mod', 'download', module], { env, timeoutMs: 300_000, signal });
    const { output: modules } = await runProgram('go', ['env', 'GOMODCACHE'], { env, signal });
    const source = join(scratch, 'source');
    await runProgram('cp', ['-R', join(modules.trim(), module), source], { signal });
    await runProgram('chmod', ['-R', 'u+w', source], { signal });
    const program = join(scratch, 'tofu');
    await runProgram('go', ['build', '-C', source, '-ldflags', linked, '-o', program, './cmd/tofu'], {
      env,
      timeoutMs: 3_600_000,
      signal,
    });
    return takeProgram(program, target);
  },
};

/**
 * The path of OpenTofu, or Terraform, for tests: the one that TOFU names, else `tofu` on PATH, one built earlier, `terraform` on PATH, or one
 * that is built now with CI=true.
 * Undefined when there is none, which is told; with CI=true that is a StartError.
 */
export const findOpentofu = async (progress: (line: string) => void): Promise<string | undefined> => {
  const named = process.env.TOFU;
  if (named && isProgram(named)) return named;
  const name = `opentofu-${version}`;
  const found =
    findProgram('tofu') ??
    (await fetchProgram(name, [], progress)) ??
    findProgram('terraform') ??
    (await fetchProgram(name, [fromGo], progress));
  if (found) return found;
  const missing = 'OpenTofu is missing for tests: put tofu or terraform on PATH, or name one in TOFU.';
  if (process.env.CI === 'true') throw new StartError(missing);
  progress(`${missing} Tests that need it are left out.`);
  return undefined;
};
