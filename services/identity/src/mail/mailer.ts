import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface OutgoingMail {
  id: string;
  to: string;
  subject: string;
  text: string;
}

/** Hands mails over. */
export interface Mailer {
  send(mail: OutgoingMail): Promise<void>;
  close(): void;
}

// One id for all attempts, so that who gets a mail twice can tell; what a mail says is never a path or an address to fetch.
const messageOf = (from: string, { id, to, subject, text }: OutgoingMail) => ({
  from,
  to: { name: '', address: to },
  subject,
  text,
  messageId: `<${id}@accessops>`,
  headers: { 'Auto-Submitted': 'auto-generated' },
  disableFileAccess: true,
  disableUrlAccess: true,
});

const timeoutMs = 10_000;

/** Sends by SMTP: `smtp://user:password@host:port`, `smtps://…`; nodemailer's options can follow as a query. */
const createSmtpMailer = async (url: string, from: string): Promise<Mailer> => {
  // Loaded by those who have a mail server.
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: 2,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  });
  return {
    send: async (mail) => {
      await transport.sendMail(messageOf(from, mail));
    },
    close: () => transport.close(),
  };
};

/** Writes each mail into a text file of its own, for an installation without a mail server. */
const createFileMailer = (directory: string, from: string): Mailer => ({
  send: async ({ id, to, subject, text }) => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const name = `${new Date().toISOString().replaceAll(':', '-')} ${to.replaceAll(/[^\w@.+-]/g, '_')} ${id}`;
    // Renamed into place: whoever watches the folder sees whole mails only.
    const part = join(directory, `.${id}.part`);
    await writeFile(part, `From: ${from}\nTo: ${to}\nSubject: ${subject}\n\n${text}`, { mode: 0o600 });
    await rename(part, join(directory, `${name}.txt`));
  },
  close: () => {},
});

/** Where mails go and whom they come from. */
export type MailConfig = { from: string } & ({ smtpUrl: string } | { directory: string });

/** The mailer that is configured. */
export const createMailer = async (config: MailConfig): Promise<Mailer> =>
  'smtpUrl' in config ? createSmtpMailer(config.smtpUrl, config.from) : createFileMailer(config.directory, config.from);

/** Whether a server has said that it will never take this mail; everything else is tried again. */
export const isRefused = (error: unknown): boolean => {
  const { code, responseCode } = error as { code?: string; responseCode?: number };
  return code === 'EENVELOPE' && (responseCode ?? 0) >= 500;
};
