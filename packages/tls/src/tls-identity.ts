import { readFile } from 'node:fs/promises';
import type { Logger } from '@accessops/telemetry';
import { certificatesIn, commonNameOf, faultLines, readMaterial, type TlsFiles, type TlsMaterial } from './tls-material.ts';

export type { TlsFiles, TlsMaterial } from './tls-material.ts';

/** What a process shows to prove who it is, and whom it believes; what is in its files now, once somebody watches them. */
export interface TlsIdentity {
  /** The name it proves: that of the process. */
  name: string;
  /** Read anew for each handshake, each member gives what is in force then: the certificate always with its own key. */
  material: TlsMaterial;
  /** Tells of a change of the material, after it; answers what ends that. */
  onChange(listener: () => void): () => void;
  /** Each file of certificates, and when the first of them ends. */
  expiries(): { file: string; expiresAt: Date }[];
  /** Looks for changes of the files until it is closed. What cannot be used is told, and what was there before stays. */
  watch(log: Logger): { close(): void };
}

// A volume of Kubernetes changes all its files at one moment; others may be written one after the other, and are whole a moment later.
const lookEveryMs = 1000;

const isSame = (one: TlsMaterial, other: TlsMaterial) => one.cert === other.cert && one.key === other.key && one.ca === other.ca;

/** Opens the identity in files with which nothing is wrong. */
export const openTlsIdentity = (files: TlsFiles): TlsIdentity => {
  let current = readMaterial(files);
  const name = commonNameOf(certificatesIn(current.cert)[0]) ?? '';
  const listeners = new Set<() => void>();
  let told = '';

  const look = async (log: Logger): Promise<void> => {
    const [cert, key, ca] = await Promise.all([readFile(files.cert, 'utf8'), readFile(files.key, 'utf8'), readFile(files.ca, 'utf8')]);
    const found = { cert, key, ca };
    if (isSame(found, current)) return;
    const faults = faultLines(files, found, name).join('; ');
    if (faults !== '') throw new Error(faults);
    current = found;
    told = '';
    log.info({ files }, 'certificates were read again');
    for (const listener of listeners) listener();
  };

  return {
    name,
    material: {
      get cert() {
        return current.cert;
      },
      get key() {
        return current.key;
      },
      get ca() {
        return current.ca;
      },
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    expiries: () =>
      ([files.cert, files.ca] as const).map((file, index) => {
        const ends = certificatesIn(index === 0 ? current.cert : current.ca).map(({ validToDate }) => validToDate.getTime());
        return { file, expiresAt: new Date(Math.min(...ends)) };
      }),
    watch: (log) => {
      let looking = false;
      const timer = setInterval(() => {
        if (looking) return;
        looking = true;
        look(log)
          .catch((error: unknown) => {
            const what = String(error instanceof Error ? error.message : error);
            if (what !== told) log.warn({ files }, `certificates cannot be read again: ${what}`);
            told = what;
          })
          .finally(() => {
            looking = false;
          });
      }, lookEveryMs);
      timer.unref();
      return { close: () => clearInterval(timer) };
    },
  };
};
