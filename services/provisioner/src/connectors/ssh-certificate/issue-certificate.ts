import type { Access } from '../../connector.ts';

/** What AccessOps calls an access at a host: 32 hexadecimal digits. */
export const hostKeyOf = ({ key }: Pick<Access, 'key'>): string => key.replaceAll('-', '');

// Clocks of hosts may be behind ours.
const skewMs = 60_000;

/** When a certificate of this access that is made now ends at the latest. */
export const endOf = ({ now, durationMs }: Pick<Access, 'now' | 'durationMs'>): Date => new Date(now.getTime() + durationMs);

/** What a host has of the key that signs certificates, in base64. */
export const publicHalf = async (caKey: string): Promise<string> => {
  const { parsePrivateKey } = (await import('sshpk')).default;
  return parsePrivateKey(caKey, 'auto').toPublic().toBuffer('rfc4253').toString('base64');
};

/** A key pair, and a certificate that it may log in to these accounts with a terminal and nothing else: no forwarding of any kind. */
export const issueCertificate = async (caKey: string, access: Access, accounts: readonly string[]) => {
  const { createCertificate, generatePrivateKey, identityForUser, parsePrivateKey } = (await import('sshpk')).default;
  const ca = parsePrivateKey(caKey, 'auto');
  const pair = generatePrivateKey('ed25519');
  const serial = Buffer.alloc(8);
  // Which attempt it is from: the host knows which one counts.
  serial.writeBigUInt64BE(BigInt(access.fence));
  const certificate = createCertificate(accounts.map(identityForUser), pair.toPublic(), identityForUser('accessops'), ca, {
    validFrom: new Date(access.now.getTime() - skewMs),
    validUntil: endOf(access),
    serial,
  });
  const { openssh } = certificate.signatures;
  if (!openssh) throw new Error('The certificate is not one of OpenSSH');
  // What these are was signed already with what they are by default.
  Object.assign(openssh, {
    keyId: `accessops_${hostKeyOf(access)}`,
    exts: [{ name: 'permit-pty', critical: false, data: Buffer.alloc(0) }],
  });
  certificate.signWith(ca);
  return { privateKey: pair.toString('ssh'), certificate: certificate.toString('openssh') };
};
