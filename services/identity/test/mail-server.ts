import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { until } from '@accessops/testing';
import { SMTPServer } from 'smtp-server';

/** A mail as it arrived. */
export interface ReceivedMail {
  to: string;
  head: string;
  text: string;
  /** Of the link in it. */
  token: string;
}

/** A real SMTP server. */
export interface MailServer {
  url: string;
  received: ReceivedMail[];
  /** Refuses recipients for whom this answers true, for good. */
  refuses: (address: string) => boolean;
  /** The nth mail to an address, waiting for it. */
  mailTo(address: string, nth?: number): Promise<ReceivedMail>;
  stop(): Promise<void>;
}

const decode = (body: string): string =>
  body
    .replaceAll(/=\r?\n/g, '')
    .replaceAll(/(?:=[0-9A-F]{2})+/g, (bytes) => Buffer.from(bytes.replaceAll('=', ''), 'hex').toString())
    .replaceAll('\r\n', '\n');

/** Starts one, on a free port unless one is named. */
export const startMailServer = async (port = 0): Promise<MailServer> => {
  const received: ReceivedMail[] = [];
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    // Who sends keeps connections for the next mail.
    closeTimeout: 1,
    onRcptTo: ({ address }, _, done) => {
      if (mailServer.refuses(address)) done(Object.assign(new Error('No such mailbox'), { responseCode: 550 }));
      else done();
    },
    onData: (stream, session, done) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const [head = '', ...body] = Buffer.concat(parts).toString().split('\r\n\r\n');
        const text = decode(body.join('\r\n\r\n'));
        const [to] = session.envelope.rcptTo;
        received.push({ to: to ? to.address : '', head, text, token: /#token=([\w-]+)/.exec(text)?.[1] ?? '' });
        done();
      });
    },
  });
  server.on('error', () => undefined);
  server.listen(port, '127.0.0.1');
  await once(server.server, 'listening');
  const mailServer: MailServer = {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    received,
    refuses: () => false,
    mailTo: (address, nth = 1) => until(() => received.filter(({ to }) => to === address)[nth - 1], { what: `mail ${nth} to ${address}` }),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return mailServer;
};
