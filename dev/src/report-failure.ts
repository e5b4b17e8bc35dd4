import { appendFileSync, mkdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { inspect } from 'node:util';
import { root } from './paths.ts';
import { StartError } from './start-error.ts';

/** Says in one sentence why a command failed; what only a developer reads goes to a log. Answers the exit code. */
export const reportFailure = (error: unknown): number => {
  if (error instanceof StartError) {
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
  const message = (error instanceof Error ? error.message : String(error)).split('\n')[0];
  const logs = join(resolve(root, process.env.ACCESSOPS_DATA || '.accessops'), 'logs');
  const file = join(logs, 'platform-error.log');
  try {
    mkdirSync(logs, { recursive: true });
    appendFileSync(file, `${new Date().toISOString()} ${inspect(error)}\n`);
    process.stderr.write(`It did not work: ${message}; details are in ${relative(process.cwd(), file)}.\n`);
  } catch {
    process.stderr.write(`It did not work: ${message}.\n`);
  }
  return 1;
};
