import { setTimeout as delay } from 'node:timers/promises';
import { transaction } from '@accessops/db';
import { unitOfWork } from '@accessops/events';
import type { ServiceParts } from '@accessops/service';
import { backOffMs } from './back-off.ts';
import { isRefused, type Mailer } from './mailer.ts';
import { type MailRow, prepareMail } from './prepare-mail.ts';

/** Sends what is queued. */
export interface PostOffice {
  close(): Promise<void>;
}

export interface PostOfficeOptions {
  mailer: Mailer;
  sealKey: Buffer;
  publicUrl: string;
}

const pollMs = 250;
const batch = 10;
// Longer than an attempt can take: what an instance that died had in hand is then sent by another.
const leaseMs = 60_000;

const leaseSql = `update mail set due_at = ?, attempts = attempts + 1
  where id in (select id from mail where due_at <= ? order by due_at limit ${batch} for update skip locked)
  returning id, kind, address, link_id, token, about, origin, attempts`;

/**
 * Takes mails out of their outbox and hands them to the mailer, outside of any transaction. A mail leaves the outbox after it was taken, so
 * a crash in between may send it twice, and none is lost while the mail server is away.
 */
export const startPostOffice = (parts: ServiceParts, { mailer, sealKey, publicUrl }: PostOfficeOptions): PostOffice => {
  const { orm, outbox, log, now } = parts;
  const abort = new AbortController();

  const settle = (sql: string, values: unknown[]) => transaction(orm.em, 'all-tenants', (em) => em.execute(sql, values));

  const deliver = async (row: MailRow): Promise<void> => {
    const mail = await unitOfWork(outbox, 'all-tenants', (em) => prepareMail({ em, now, sealKey, publicUrl }, row));
    try {
      if (mail) await mailer.send(mail);
    } catch (error) {
      if (!isRefused(error)) throw error;
      log.warn({ err: error, mail: row.id }, 'the mail server refuses a mail for good');
    }
    await settle('delete from mail where id = ?', [row.id]);
  };

  const round = async (): Promise<number> => {
    const at = now();
    const rows = (await settle(leaseSql, [new Date(at.getTime() + leaseMs), at])) as unknown as MailRow[];
    for (const row of rows) {
      try {
        await deliver(row);
      } catch (error) {
        log.warn({ err: error, mail: row.id, attempts: row.attempts }, 'a mail could not be sent and is tried again');
        const due = new Date(now().getTime() + backOffMs(row.attempts));
        await settle('update mail set due_at = ?, last_error = ? where id = ?', [due, String(error).slice(0, 500), row.id]);
      }
    }
    return rows.length;
  };

  const loop = async () => {
    while (!abort.signal.aborted) {
      const sent = await round().catch((error: unknown) => {
        if (!abort.signal.aborted) log.debug({ err: error }, 'no mail can be sent at the moment');
        return 0;
      });
      if (sent < batch) await delay(pollMs, undefined, { signal: abort.signal }).catch(() => undefined);
    }
  };
  const finished = loop();

  return {
    close: async () => {
      abort.abort();
      await finished;
      mailer.close();
    },
  };
};
