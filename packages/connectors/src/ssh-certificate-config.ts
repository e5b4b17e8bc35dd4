import { z } from 'zod';
import { loginName } from './login-name.ts';

/** As useradd allows them: nothing that a certificate, a shell or a log could take for something else. */
const account = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'must be the name of an account at the host');

/** A host that lets people in with certificates, and as whom. */
export const sshCertificateConfig = z.strictObject({
  login: loginName.describe('Which of the hosts that the provisioner has been given to use.'),
  roles: z
    .record(z.string(), z.array(account).min(1).max(10))
    .describe('For each role that can be asked for: the accounts at the host that it may log in to.'),
});

export type SshCertificateConfig = z.infer<typeof sshCertificateConfig>;
