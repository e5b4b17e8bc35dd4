import { join } from 'node:path';
import { root } from './paths.ts';
import { runProgram } from './run-program.ts';
import { StartError } from './start-error.ts';

/** Runs buf in the folder of the contract; answers what it said, throws a StartError with that when it fails. */
export const buf = async (...args: string[]): Promise<string> => {
  const folder = join(root, 'proto');
  const bin = join(folder, 'node_modules', '.bin');
  const { code, output } = await runProgram(join(bin, 'buf'), args, { cwd: folder, env: { PATH: `${bin}:${process.env.PATH}` } });
  if (code !== 0) throw new StartError(output.trim());
  return output;
};

/** Generates the code of the contract into `<folder>/gen`. */
export const generateProto = (folder: string): Promise<string> => buf('generate', '--output', folder);
