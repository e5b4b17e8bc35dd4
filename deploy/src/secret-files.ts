import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Service, services } from '@accessops/events/topology';
import { platformUsers } from '../../dev/src/demo.ts';
import { demoDatabase, demoDatabaseLogin } from '../../dev/src/demo-database.ts';
import { certificateHolders } from '../../dev/src/dev-ca.ts';
import { openSecrets } from '../../dev/src/secrets.ts';

/** Files by their name. */
type Files = Record<string, string>;

/** Who gets secrets: the processes of our own, and the servers they need. */
export type Holder = Service | 'gateway' | 'migrate' | 'postgres' | 'nats' | 'keycloak' | 'keycloak-database' | 'connectors' | 'demo';

/** The password in a file, made when there is none. */
const openPassword = (path: string): string => {
  if (!existsSync(path)) writeFileSync(path, randomBytes(24).toString('base64url'), { mode: 0o600 });
  return readFileSync(path, 'utf8');
};

const withLineEnd = (text: string) => `${text.trim()}\n`;

/**
 * The secrets of a whole platform: what each of its containers finds in /run/secrets. They are kept in `folder`, and what is
 * not there yet is made. `databaseOptions` stands behind the addresses of the services' database. Once it was asked for with `demo`, the
 * people of the demo, whose password everybody knows, are among the platform's staff.
 */
export const secretFiles = (folder: string, { databaseOptions = '', demo = false } = {}): Record<Holder, Files> => {
  const secrets = openSecrets(folder, { demo: false });
  const read = (path: string) => readFileSync(path, 'utf8');
  const withDemo = join(folder, 'with-demo');
  if (demo) writeFileSync(withDemo, '');
  const ofDemo = existsSync(withDemo) ? platformUsers : [];
  // Folders that were made before have the demo's in both places.
  const own = (JSON.parse(read(secrets.files.platformUsers)) as { email: string }[]).filter(
    ({ email }) => !ofDemo.some((each) => each.email === email),
  );
  const databaseUrl = (user: string, password: string, name = 'accessops') =>
    `postgres://${user}:${encodeURIComponent(password)}@postgres:5432/${name}${name === 'accessops' ? databaseOptions : ''}`;
  const adminDatabaseUrl = databaseUrl('postgres', secrets.postgres);
  const ofService = (service: Service, more: Files = {}): Files => ({
    'database-url': databaseUrl(service, secrets.database[service].app),
    'nats-password': secrets.nats[service],
    'principal-jwks': read(secrets.files.principalJwks),
    ...more,
  });
  const all: Record<Holder, Files> = {
    identity: ofService('identity', {
      'identity-key': read(secrets.files.identityKey),
      'platform-users': JSON.stringify([...own, ...ofDemo]),
      'smtp-url': 'smtp://mailpit:1025',
      'keycloak-client': secrets.keycloak.client,
    }),
    requests: ofService('requests'),
    approvals: ofService('approvals', { 'principal-key': read(secrets.files.approvalsPrincipalKey) }),
    provisioner: ofService('provisioner', {
      'credential-key': read(secrets.files.credentialKey),
      'principal-key': read(secrets.files.provisionerPrincipalKey),
      // Of the bucket for reports: whoever has one puts its own in.
      'files-access-key': 'accessops',
      'files-secret-key': openPassword(join(folder, 'files.password')),
    }),
    audit: ofService('audit'),
    gateway: {
      'nats-password': secrets.nats.gateway,
      'principal-key': read(secrets.files.gatewayPrincipalKey),
      'cursor-key': read(secrets.files.cursorKey),
    },
    migrate: {
      'admin-database-url': adminDatabaseUrl,
      'database-passwords': JSON.stringify(secrets.database),
    },
    postgres: { password: secrets.postgres },
    nats: {
      'passwords.conf': [...services, 'gateway' as const]
        .map((user) => `PASSWORD_${user.toUpperCase()}: ${JSON.stringify(secrets.nats[user])}`)
        .join('\n'),
    },
    keycloak: {
      'admin-password': secrets.keycloak.admin,
      'client-secret': secrets.keycloak.client,
      'database-password': secrets.keycloak.database,
    },
    'keycloak-database': { 'admin-database-url': adminDatabaseUrl, 'database-password': secrets.keycloak.database },
    // Ways of the provisioner into targets: whoever has some puts its own in.
    connectors: { 'demo-database-url': databaseUrl(demoDatabaseLogin, secrets.demoDatabase, demoDatabase) },
    demo: { 'admin-database-url': adminDatabaseUrl, 'database-password': secrets.demoDatabase },
  };
  return Object.fromEntries(
    Object.entries(all).map(([holder, files]) => [
      holder,
      Object.fromEntries(Object.entries(files).map(([name, text]) => [name, withLineEnd(text)])),
    ]),
  ) as Record<Holder, Files>;
};

/** Whose certificate programs show that have no name of their own. */
const shownBy: Record<string, string> = { 'keycloak-database': 'migrate', demo: 'migrate' };

/** What each holder finds besides where parts talk by TLS: its certificate, its key and the CA, out of the folder of `makeCertificates`. */
export const certificateFiles = (folder: string): Record<string, Files> => {
  const filesOf = (holder: string, ...names: string[]): Files =>
    Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, holder, name), 'utf8')]));
  const holders = [...certificateHolders, ...Object.keys(shownBy)];
  return {
    ...Object.fromEntries(holders.map((holder) => [holder, filesOf(shownBy[holder] ?? holder, 'tls.crt', 'tls.key', 'ca.crt')])),
    keycloak: filesOf('postgres', 'ca.crt'),
  };
};
