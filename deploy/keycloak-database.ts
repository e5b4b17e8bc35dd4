import { readEnvironment } from '@accessops/service';
import { runProcess } from '@accessops/telemetry';
import { createKeycloakDatabase } from '../dev/src/keycloak-database.ts';
import { keycloakDatabaseEnvironment } from './src/script-environments.ts';

// Gives Keycloak its database `keycloak` and the login of that name, then ends.
runProcess(async () => {
  const { ADMIN_DATABASE_URL: adminUrl, KEYCLOAK_DATABASE_PASSWORD: password } = readEnvironment(keycloakDatabaseEnvironment, process.env);
  await createKeycloakDatabase(adminUrl, { name: 'keycloak', user: 'keycloak', password });
  process.exit(0);
});
