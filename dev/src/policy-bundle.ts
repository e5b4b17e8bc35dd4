import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Policies as Cerbos is given them: a folder that nobody changes any more. */
export interface PolicyBundle {
  directory: string;
  /** SHA-256 of its files and their names; the policies put it out, so that a running Cerbos tells which bundle it has. */
  version: string;
}

const isPart = (path: string): boolean => !path.split('/').includes('tests');

const versionOf = (source: string): string => {
  const hash = createHash('sha256');
  for (const path of globSync('**/*.yaml', { cwd: source }).filter(isPart).sort()) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(source, path)))
      .update('\0');
  }
  return hash.digest('hex');
};

const stamp = (version: string): string =>
  JSON.stringify({ apiVersion: 'api.cerbos.dev/v1', exportConstants: { name: 'bundle', definitions: { version } } });

/** Copies policies, without their tests, into a folder under `bundles` that is named for their version. */
export const bundlePolicies = (source: string, bundles: string): PolicyBundle => {
  const version = versionOf(source);
  const directory = join(bundles, version);
  if (!existsSync(directory)) {
    const made = mkdtempSync(join(bundles, 'new-'));
    cpSync(source, made, { recursive: true, filter: (path) => isPart(path.slice(source.length)) });
    // YAML, of which JSON is a part.
    writeFileSync(join(made, 'shared', 'bundle.yaml'), stamp(version));
    renameSync(made, directory);
  }
  return { directory, version };
};

/** Makes `link` lead to the bundle, at one moment. */
export const linkBundle = ({ directory }: PolicyBundle, link: string): void => {
  const next = `${link}.next`;
  rmSync(next, { force: true });
  symlinkSync(directory, next);
  renameSync(next, link);
};
