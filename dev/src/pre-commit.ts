import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.ts';
import { runProgram } from './run-program.ts';
import { readAccepted } from './supply-chain/accepted.ts';
import { findSecrets } from './supply-chain/secrets.ts';

/** The commit hook: format, lint, types and secrets of the staged files. Errors elsewhere in the tree do not stand in the way. */
export const preCommit = async (): Promise<number> => {
  const { output } = await runProgram('git', ['diff', '--cached', '--name-only', '--diff-filter=ACMR', '-z'], { cwd: root });
  const staged = output.split('\0').filter(Boolean);
  const formatted = staged.filter((file) => /\.(ts|mjs|json|jsonc)$/.test(file) && !file.startsWith('proto/gen/'));
  const code = formatted.filter((file) => /\.(ts|mjs)$/.test(file));
  const problems: string[] = [];
  const run = async (program: string, args: string[], files: string[]) => {
    if (files.length === 0) return;
    const ended = await runProgram(program, [...args, ...files], { cwd: root });
    if (ended.code !== 0) problems.push(ended.output.trim());
  };
  await run('biome', ['check', '--colors=off', '--no-errors-on-unmatched'], formatted);
  await run('oxlint', ['--type-aware', '--deny-warnings', '--no-error-on-unmatched-pattern'], code);
  if (code.length > 0) {
    const types = await runProgram('tsc', ['-p', '.', '--pretty', 'false'], { cwd: root });
    const mine = types.output.split('\n').filter((line) => code.some((file) => line.startsWith(`${file}(`)));
    if (mine.length > 0) problems.push(mine.join('\n'));
  }
  const accepted = readAccepted().secrets.filter(({ file }) => staged.includes(file));
  problems.push(...(await findSecrets(staged, (file) => readFileSync(join(root, file), 'utf8'), accepted)));
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  return problems.length === 0 ? 0 : 1;
};
