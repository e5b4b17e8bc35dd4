import { z } from 'zod';

const privateKey = z
  .string('must be a private key without a passphrase')
  .regex(/^-----BEGIN [A-Z ]*PRIVATE KEY-----\s[\s\S]*-----END [A-Z ]*PRIVATE KEY-----\s*$/, 'must be a private key without a passphrase');

const publicKey = z
  .string('must be a public key as in ssh_host_ed25519_key.pub')
  .regex(/^[a-z0-9@.-]+ [A-Za-z0-9+/]{32,}={0,2}(?: .*)?\s*$/, 'must be a public key as in ssh_host_ed25519_key.pub');

/** A host, how to be let in there, and the key that it trusts to let others in. */
export const sshLogin = z.object({
  /** Where holders of access connect to, and we do. */
  ADDRESS: z.string('must be host:port').regex(/^[^\s:]+:\d+$|^\[[0-9a-f:]+\]:\d+$/i, 'must be host:port'),
  /** Its public key: whoever answers with another one is not the host. */
  HOST_KEY: publicKey,
  /** Private key for which the host runs `accessops-ssh serve`. */
  KEY: privateKey,
  /** The account of that key. */
  USER: z.string().default('root'),
  /** Private key that signs certificates. */
  CA_KEY: privateKey,
});

export type SshLogin = z.infer<typeof sshLogin>;
