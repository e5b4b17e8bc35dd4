import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeCertificates } from '../dev/src/dev-ca.ts';
import { certificateFiles, secretFiles } from './src/secret-files.ts';

// node secrets.js FOLDER               makes FOLDER/<holder>/<file>, for containers that each mount their own holder's folder
// node secrets.js FOLDER --tls         the same with certificates, and databases that are called by TLS
// node secrets.js FOLDER --kubernetes  prints the same as Secrets
// With --demo as well, now or once before, the people of the demo are among the platform's staff.
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { tls: { type: 'boolean' }, kubernetes: { type: 'boolean' }, demo: { type: 'boolean' } },
});
const [folder = ''] = positionals;
const origin = join(folder, 'origin');
mkdirSync(origin, { recursive: true, mode: 0o700 });
if (values.tls) await makeCertificates(join(origin, 'certificates'));
const certificates = values.tls ? certificateFiles(join(origin, 'certificates')) : {};
const files = secretFiles(origin, { databaseOptions: values.tls ? '?sslmode=verify-full' : '', demo: values.demo });
const holders = Object.entries({ ...certificates, ...files }).map(
  ([holder, own]) => [holder, { ...certificates[holder], ...own }] as const,
);

if (values.kubernetes) {
  const items = holders.map(([holder, stringData]) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: holder, labels: { 'app.kubernetes.io/part-of': 'accessops' } },
    stringData,
  }));
  process.stdout.write(`${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, undefined, 2)}\n`);
} else {
  for (const [holder, own] of holders) {
    // Readable for every user inside the one container that mounts it, each of which runs as another one.
    mkdirSync(join(folder, holder), { recursive: true, mode: 0o755 });
    for (const [name, text] of Object.entries(own)) {
      const path = join(folder, holder, name);
      writeFileSync(`${path}.new`, text, { mode: 0o444 });
      renameSync(`${path}.new`, path);
    }
  }
}
