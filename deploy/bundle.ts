import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundlePolicies } from '../dev/src/policy-bundle.ts';
import { bundle, programs } from './src/bundle.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

// The policies, with their version in them.
const policies = (): void => {
  const destination = join(dist, 'policies');
  rmSync(destination, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  renameSync(bundlePolicies(join(root, 'policies'), dist).directory, destination);
};

// node deploy/bundle.ts [NAME...]: what the images hold, in dist/
const names = process.argv.slice(2);
const wanted = names.length > 0 ? names : [...Object.keys(programs), 'policies'];
for (const name of wanted) {
  if (name === 'policies') policies();
  else await bundle(name, dist);
}
