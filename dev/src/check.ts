import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCerbos } from './cerbos.ts';
import { checkDocuments } from './documents/check-documents.ts';
import { buf, generateProto } from './generate-proto.ts';
import { generatedDocuments } from './generated-documents.ts';
import { findBreaches } from './import-rules.ts';
import { root } from './paths.ts';
import { runProgram } from './run-program.ts';
import { sourceFiles } from './source-files.ts';
import { findSecretsInRepository } from './supply-chain/secrets.ts';

/** What is wrong, a line each; nothing when all is well. */
type Check = () => Promise<string[]>;

const program =
  (name: string, ...args: string[]): Check =>
  async () => {
    const { code, output } = await runProgram(name, args, { cwd: root });
    return code === 0 ? [] : [output.trim() || `exit code ${code}`];
  };

const protoLint: Check = async () => {
  await buf('lint');
  return [];
};

/** Against the contract of the last release: other programs, and events that are kept, were written for it. */
const protoBreaking: Check = async () => {
  await buf('breaking', '--against', 'released.binpb');
  return [];
};

const protoDrift: Check = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'accessops-proto-'));
  try {
    await generateProto(folder);
    const committed = sourceFiles('proto/gen', '.ts');
    const generated = sourceFiles(folder, '.ts').map((path) => path.slice(path.indexOf('gen/')));
    const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);
    return [...new Set([...committed.map((path) => path.slice('proto/'.length)), ...generated])]
      .filter((path) => read(join(folder, path)) !== read(join(root, 'proto', path)))
      .map((path) => `proto/${path} is not what npm run generate makes`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const documents: Check = async () =>
  Object.entries(await generatedDocuments())
    .filter(([path, content]) => !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== content)
    .map(([path]) => `${path} is not what npm run generate makes`);

// An address in it would send everybody to the registry of whoever wrote it last.
const lockfile: Check = async () =>
  readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8')
    .split('\n')
    .flatMap((line, index) => (/https?:\/\/|tarball:/.test(line) ? [`pnpm-lock.yaml:${index + 1}: ${line.trim()}`] : []));

const checks: Record<string, Check> = {
  format: program('biome', 'check', '--colors=off', '.'),
  lint: program('oxlint', '--type-aware', '--deny-warnings'),
  types: program('tsc', '-p', '.'),
  policies: () => program(findCerbos(), 'compile', '--no-color', 'policies')(),
  'contract: buf lint': protoLint,
  'contract: buf breaking': protoBreaking,
  'contract: generated code': protoDrift,
  'generated documents': documents,
  'links, snippets and names in documents': checkDocuments,
  'rules on imports': async () => findBreaches(),
  'lockfile names no registry': lockfile,
  'no secrets in files': findSecretsInRepository,
};

/** `npm run check`: everything that can be said about the code without running it. Arguments choose checks by name. */
export const check = async (args: string[]): Promise<number> => {
  let failed = 0;
  for (const [name, run] of Object.entries(checks)) {
    if (args.length > 0 && !args.some((arg) => name.includes(arg))) continue;
    const startedAt = Date.now();
    const problems = await run().catch((error: unknown) => [error instanceof Error ? error.message : String(error)]);
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
    process.stdout.write(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)\n`);
    for (const problem of problems) process.stdout.write(`${problem.replaceAll(/^/gm, '     ')}\n`);
    if (problems.length > 0) failed++;
  }
  return failed === 0 ? 0 : 1;
};
