import { existsSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { root } from './paths.ts';

const walk = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isFile()) return [path];
    return entry.isDirectory() && entry.name !== 'node_modules' ? walk(path) : [];
  });

/** All files below a folder of the repository whose name ends in the given way; paths from the top of the repository. */
export const sourceFiles = (folder: string, ending: string): string[] => {
  const from = resolve(root, folder);
  if (!existsSync(from)) return [];
  return walk(from)
    .filter((path) => path.endsWith(ending))
    .map((path) => relative(root, path));
};
