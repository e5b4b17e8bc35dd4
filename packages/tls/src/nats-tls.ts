import { wantsTls } from './tls-config.ts';
import type { TlsIdentity, TlsMaterial } from './tls-identity.ts';

/** What `nats` is told to connect by TLS where the address asks for it; it reads the material anew for each connection. */
export const natsTls = (url: string, tls: TlsIdentity | undefined): { tls?: TlsMaterial; reconnectJitterTLS?: number } =>
  wantsTls(url) && tls ? { tls: tls.material, reconnectJitterTLS: 100 } : {};
