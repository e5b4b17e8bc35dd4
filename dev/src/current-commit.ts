import { root } from './paths.ts';
import { runProgram } from './run-program.ts';

/** The commit of this working copy; undefined where there is no repository, or no git. */
export const currentCommit = async (): Promise<string | undefined> => {
  const { code, output } = await runProgram('git', ['rev-parse', 'HEAD'], { cwd: root, timeoutMs: 10_000 });
  return code === 0 ? output.trim() : undefined;
};
