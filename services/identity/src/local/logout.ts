import type { Call } from '@accessops/service';
import { endSessions } from '../session.ts';
import { hashOf, isRefreshToken } from './refresh-token.ts';

/** Ends the session of a refresh token, used or not; what is no token of ours changes nothing. */
export const logout = async (call: Call, refreshToken: string): Promise<void> => {
  if (!isRefreshToken(refreshToken)) return;
  const where = 's.id = (select session_id from refresh_token where hash = ?)';
  await call.write((ctx) => endSessions(ctx, { where, values: [hashOf(refreshToken)], reason: 'LOGOUT' }), 'all-tenants');
};
