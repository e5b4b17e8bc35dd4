import { insufficientAuthentication } from '@accessops/errors';
import type { Ctx } from '@accessops/service';

const maxAgeSeconds = 300;

/** The session must have proved its second factor within the last five minutes. Errors: INSUFFICIENT_AUTHENTICATION. */
export const demandFreshSecondFactor = async ({ em, principal, now }: Ctx): Promise<void> => {
  const from = new Date(now().getTime() - maxAgeSeconds * 1000);
  const fresh = await em.execute('select 1 from session where id = ? and account_id = ? and second_factor_at > ?', [
    principal.sessionId,
    principal.id,
    from,
  ]);
  if (fresh.length === 0) throw insufficientAuthentication('aal2', maxAgeSeconds);
};
