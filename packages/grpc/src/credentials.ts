import type { Logger } from '@accessops/telemetry';
import type { TlsIdentity } from '@accessops/tls';
import {
  type ChannelCredentials,
  credentials,
  experimental,
  ResponderBuilder,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
} from '@grpc/grpc-js';

/** How a server is entered by TLS. */
export interface Entrance {
  /** What the server shows, and whose certificates it believes. */
  identity: TlsIdentity;
  /** Names of the processes that may call it. */
  callers: readonly string[];
  log: Logger;
}

/** An identity as grpc-js asks for it: it is told of each change. */
const providerOf = (identity: TlsIdentity): experimental.CertificateProvider => {
  const endings = new Map<unknown, () => void>();
  const add = <T>(listener: (update: T) => void, read: () => T) => {
    const tell = () => listener(read());
    endings.set(listener, identity.onChange(tell));
    // Not at once: whoever adds a listener is not ready to be told yet.
    process.nextTick(tell);
  };
  const remove = (listener: unknown) => {
    endings.get(listener)?.();
    endings.delete(listener);
  };
  return {
    addCaCertificateListener: (listener) => add(listener, () => ({ caCertificate: Buffer.from(identity.material.ca) })),
    removeCaCertificateListener: remove,
    addIdentityCertificateListener: (listener) =>
      add(listener, () => ({ certificate: Buffer.from(identity.material.cert), privateKey: Buffer.from(identity.material.key) })),
    removeIdentityCertificateListener: remove,
  };
};

// Clients with the same credentials share their connection to a server.
const ofClients = new WeakMap<TlsIdentity, ChannelCredentials>();

/** Credentials of a client: by TLS as the identity, or without TLS. */
export const clientCredentials = (identity: TlsIdentity | undefined): ChannelCredentials => {
  if (!identity) return credentials.createInsecure();
  const known = ofClients.get(identity);
  if (known) return known;
  const provider = providerOf(identity);
  const made = experimental.createCertificateProviderChannelCredentials(provider, provider);
  ofClients.set(identity, made);
  return made;
};

const health = '/grpc.health.v1.Health/';

/** Refuses calls of processes that have nothing to ask here. A process may ask itself for its health. */
const onlyFor =
  ({ identity, callers, log }: Entrance): ServerInterceptor =>
  ({ path }, call) => {
    const peer = call.getAuthContext().sslPeerCertificate?.subject.CN;
    if (typeof peer === 'string' && (callers.includes(peer) || (peer === identity.name && path.startsWith(health)))) {
      return new ServerInterceptingCall(call);
    }
    const refuse = new ServerListenerBuilder()
      .withOnReceiveMetadata(() => {
        log.warn({ peer, path }, 'a process that may not call this one was refused');
        call.sendStatus({ code: status.PERMISSION_DENIED, details: 'This process may not be called with that certificate' });
      })
      .build();
    return new ServerInterceptingCall(call, new ResponderBuilder().withStart((next) => next(refuse)).build());
  };

/** Credentials of a server: by TLS, demanding a certificate of a process that may enter, or without TLS. */
export const serverCredentials = (entrance: Entrance | undefined): ServerCredentials => {
  if (!entrance) return ServerCredentials.createInsecure();
  const provider = providerOf(entrance.identity);
  return experimental.createServerCredentialsWithInterceptors(
    experimental.createCertificateProviderServerCredentials(provider, provider, true),
    [onlyFor(entrance)],
  );
};
