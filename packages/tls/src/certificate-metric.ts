import { Gauge, type Registry } from '@accessops/telemetry';
import type { TlsIdentity } from './tls-identity.ts';

/** Adds when the certificates of a process expire to its metrics. */
export const certificateMetric = (identity: TlsIdentity, registry: Registry): void => {
  new Gauge({
    name: 'accessops_certificate_expiry_timestamp_seconds',
    help: 'When the first certificate in a file expires, in seconds since 1970; only with TLS.',
    labelNames: ['file'],
    registers: [registry],
    collect() {
      for (const { file, expiresAt } of identity.expiries()) this.set({ file }, expiresAt.getTime() / 1000);
    },
  });
};
