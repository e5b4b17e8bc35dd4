import type { Call } from '@accessops/service';
import { hashOf } from '../local/refresh-token.ts';
import { endSessions } from '../session.ts';
import type { KeycloakParts } from './keycloak-provider.ts';

/** Ends the session of a refresh token, used or not: here at once, in Keycloak as soon as it answers. */
export const logout = async (call: Call, { sessions }: KeycloakParts, refreshToken: string): Promise<void> => {
  const where = 's.id = (select session_id from refresh_token where hash = ?)';
  await call.write((ctx) => endSessions(ctx, { where, values: [hashOf(refreshToken)], reason: 'LOGOUT' }), 'all-tenants');
  await sessions.tellEnded().catch((error: unknown) => call.log.warn({ err: error }, 'Keycloak is told of a logout later'));
};
