import { mkdtemp, readdir, readFile, readlink, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const named = /^accessops-(?:module|plugins)-(?:((\d+)\.(\d+))-)?[^-]+$/;
// No run takes longer: for where it cannot be told whose a folder is.
const oldestMs = 2 * 3_600_000;

/** When a process was started, in ticks of its host; undefined when it has ended, and where there is no /proc. */
const startOf = async (pid: string | number): Promise<string | undefined> => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [state, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' || state === 'X' ? undefined : rest[18];
};

/** Makes a folder that is found to be nobody's as soon as this process has ended: numbers of processes are used again, pairs of the two are not. */
export const makeTempFolder = async (kind: 'module' | 'plugins'): Promise<string> => {
  const started = await startOf(process.pid);
  return mkdtemp(join(tmpdir(), `accessops-${kind}-${started ? `${process.pid}.${started}-` : ''}`));
};

/** Folders that processes are at work in: a run outlives the process that has begun it. */
const workplaces = async (): Promise<string[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')));
};

/** Removes what processes that were killed have left behind: secrets are in it. */
export const sweepTempFolders = async (): Promise<void> => {
  const names = (await readdir(tmpdir())).filter((name) => named.test(name));
  if (names.length === 0) return;
  const knowsAll = (await startOf(process.pid)) !== undefined;
  const used = knowsAll ? await workplaces() : [];
  const folders = await realpath(tmpdir());
  for (const name of names) {
    const path = join(tmpdir(), name);
    const [, owner, pid, started] = named.exec(name) ?? [];
    const isLeft = async () => {
      if (!knowsAll || !pid) return Date.now() - (await stat(path)).mtimeMs > oldestMs;
      // A run in one folder uses what was downloaded into another.
      const isUsed = used.some((folder) => folder.startsWith(join(folders, `accessops-module-${owner}-`)));
      return !isUsed && (await startOf(pid)) !== started;
    };
    // It may be gone by now, or be somebody else's.
    if (await isLeft().catch(() => false)) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
};
