import { join } from 'node:path';
import { bundle, programs } from './src/bundle.ts';

// node deploy/bundle.ts [NAME...]: what the images hold, in dist/
const names = process.argv.slice(2);
const wanted = names.length > 0 ? names : Object.keys(programs);
for (const name of wanted) await bundle(name, join(import.meta.dirname, '../dist'));
