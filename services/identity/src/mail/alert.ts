import { newId } from '@accessops/db';
import type { WriteContext } from '@accessops/events';
import { fitsInHour } from './count-mail.ts';
import type { MailText } from './mail-text.ts';

/** Access whose target does not let go. */
export interface StuckGrant {
  grantId: string;
  resourceKey: string;
  role: string;
  /** RFC 3339. */
  since: string;
}

// When a target is down, all that ends there fails within minutes: the first mails say it all.
const perHour = 10;

/**
 * Puts an alert into the outbox of mails, unless the address has got enough of them in this hour. They are counted for themselves: who is
 * warned often can still get a new password.
 */
export const queueAlert = async ({ em, now, origin }: WriteContext, address: string, about: StuckGrant): Promise<void> => {
  if (!(await fitsInHour({ em, now }, `alert ${address}`, perHour))) return;
  await em.execute(`insert into mail (id, kind, address, about, origin, due_at, created_at) values (?, 'REVOKE_FAILED', ?, ?, ?, ?, ?)`, [
    newId(),
    address,
    JSON.stringify(about),
    JSON.stringify(origin),
    now(),
    now(),
  ]);
};

/** The words of an alert. */
export const alertText = ({ grantId, resourceKey, role, since }: StuckGrant, publicUrl: string): MailText => {
  const api = `${publicUrl.replace(/\/$/, '')}/api/v1/org/grants`;
  const text = [
    'Hello,',
    `access has not ended: ${role} on ${resourceKey}, which should be gone since ${since.slice(0, 16).replace('T', ' ')} UTC. Its target does not let go.`,
    'AccessOps goes on trying. Please see to it at the target; when somebody has taken the access away there by hand, close the grant with a reason:',
    `POST ${api}/${grantId}/close {"reason"}`,
    `All that is stuck: GET ${api}?filter[status][eq]=REVOKE_FAILED`,
    `You are told once of each, and of at most ${perHour} in an hour.`,
  ].join('\n\n');
  return { subject: 'Access has not ended', text: `${text}\n` };
};
