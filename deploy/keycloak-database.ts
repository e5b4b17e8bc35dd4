import { readEnvironment, runProcess } from '@accessops/telemetry';
import { tlsIdentityOf, tlsProblems } from '@accessops/tls';
import { createKeycloakDatabase } from '../dev/src/keycloak-database.ts';
import { keycloakDatabaseEnvironment } from './src/script-environments.ts';

// Gives Keycloak its database `keycloak` and the login of that name, then ends.
runProcess(async () => {
  const { ADMIN_DATABASE_URL: adminUrl, KEYCLOAK_DATABASE_PASSWORD: password } = readEnvironment(
    keycloakDatabaseEnvironment,
    process.env,
    (given) => tlsProblems(given, 'migrate'),
  );
  await createKeycloakDatabase(adminUrl, { name: 'keycloak', user: 'keycloak', password }, tlsIdentityOf(process.env));
  process.exit(0);
});
