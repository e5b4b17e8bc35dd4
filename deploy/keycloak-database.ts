import { readEnvironment } from '@accessops/service';
import { runProcess } from '@accessops/telemetry';
import { z } from 'zod';
import { createKeycloakDatabase } from '../dev/src/keycloak-database.ts';

const environment = z.object({
  /** A login that may create roles and databases. */
  ADMIN_DATABASE_URL: z.string().startsWith('postgres'),
  KEYCLOAK_DATABASE_PASSWORD: z.string().min(1),
});

// Gives Keycloak its database `keycloak` and the login of that name, then ends.
runProcess(async () => {
  const { ADMIN_DATABASE_URL: adminUrl, KEYCLOAK_DATABASE_PASSWORD: password } = readEnvironment(environment, process.env);
  await createKeycloakDatabase(adminUrl, { name: 'keycloak', user: 'keycloak', password });
  process.exit(0);
});
