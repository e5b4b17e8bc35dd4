import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { services } from '@accessops/events/topology';
import { type CertificateAuthority, createAuthority, openAuthority } from './certificate-authority.ts';

/** Who gets a certificate: the processes of our own, the programs of the image `migrate`, and the servers. */
export const certificateHolders = ['gateway', ...services, 'migrate', 'postgres', 'nats', 'cerbos'];

const days = 90;
// A third of its life before it ends.
const renewBeforeMs = 30 * 24 * 3_600_000;

/** Nobody reads half of a file, nor anybody else a key. */
const put = (path: string, text: string): void => {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
};

/** Under which a holder is called: in compose, in the namespaces of the overlays, and on this machine. */
const hostsOf = (holder: string): string[] => {
  const names = holder === 'nats' ? ['nats', '*.nats'] : [holder];
  const inCluster = ['accessops', 'accessops-dev'].flatMap((namespace) => [
    `${holder}.${namespace}`,
    `${holder}.${namespace}.svc`,
    `${holder}.${namespace}.svc.cluster.local`,
  ]);
  return [...names, ...inCluster, 'localhost', '127.0.0.1', '::1'];
};

const openOrCreate = async (folder: string): Promise<CertificateAuthority> => {
  const [certificate, key] = [join(folder, 'ca.crt'), join(folder, 'ca.key')];
  if (existsSync(certificate)) return openAuthority({ certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') });
  const made = await createAuthority('AccessOps development CA');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  put(key, made.key);
  put(certificate, made.certificate);
  return made;
};

const isGood = (path: string): boolean =>
  existsSync(path) && new X509Certificate(readFileSync(path)).validToDate.getTime() - Date.now() > renewBeforeMs;

/**
 * Makes a CA and a certificate for each process in `folder`: `ca/` and `<holder>/{tls.crt,tls.key,ca.crt}`, keys for their owner alone.
 * Run again, it renews what ends within a month, or everything but the CA with `renew`; answers whose certificates it made.
 */
export const makeCertificates = async (folder: string, { renew = false } = {}): Promise<string[]> => {
  const authority = await openOrCreate(join(folder, 'ca'));
  const due = certificateHolders.filter((holder) => renew || !isGood(join(folder, holder, 'tls.crt')));
  for (const holder of due) {
    const { certificate, key } = await authority.issue({ name: holder, hosts: hostsOf(holder), days });
    const own = join(folder, holder);
    mkdirSync(own, { recursive: true, mode: 0o700 });
    put(join(own, 'ca.crt'), authority.certificate);
    put(join(own, 'tls.key'), key);
    put(join(own, 'tls.crt'), certificate);
  }
  return due;
};

const usage = 'npm run dev-ca -- FOLDER [--renew]';

/** `npm run dev-ca`: certificates for trying TLS; answers the exit code. */
export const devCa = async (args: string[]): Promise<number> => {
  const [folder] = args.filter((arg) => !arg.startsWith('--'));
  if (!folder) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  const made = await makeCertificates(folder, { renew: args.includes('--renew') });
  process.stdout.write(made.length > 0 ? `${folder}: ${made.join(', ')}\n` : `${folder}: all are good for a month and longer\n`);
  return 0;
};
