import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reserveFreePort } from '@accessops/dev';
import { until } from '@accessops/testing';
import { afterEach, expect, test } from 'vitest';
import { anonymously, type Harness, newTenant, password, startHarness, unique } from './harness.ts';
import { type MailServer, startMailServer } from './mail-server.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const { close } of open.splice(0).reverse()) await close();
});

const start = async (overrides: Record<string, string>): Promise<Harness> => {
  const harness = await startHarness(overrides);
  open.push(harness);
  return harness;
};
const server = async (port?: number): Promise<MailServer> => {
  const mail = await startMailServer(port);
  open.push({ close: mail.stop });
  return mail;
};
const register = async ({ client }: Harness, email = `${unique('p')}@people.test`, firstName = 'Ada') => {
  await client.register({ email, password, firstName, lastName: 'Doe' }, await anonymously());
  return email;
};
const queued = async ({ admin }: Harness) => (await admin.query('select address, attempts, last_error, token from mail')).rows;

test('when the mail server is away, then everything goes on, and every mail arrives once it is back', async () => {
  // Of those that are given to nobody meanwhile.
  const { port, release } = await reserveFreePort();
  await release();
  const harness = await start({ SMTP_URL: `smtp://127.0.0.1:${port}` });
  const addresses = await Promise.all(Array.from({ length: 12 }, () => register(harness)));
  const refused = async () => (await queued(harness)).filter(({ last_error }) => /ECONNREFUSED/.test(last_error ?? ''));
  await until(async () => (await refused()).length === 12, { what: 'twelve mails that were refused' });
  const mail = await server(port);
  // How long each waits before it is tried again depends on how often it was: all are due now.
  harness.clock.skipMs += 300_000;
  await until(() => mail.received.length === 12, { what: 'twelve mails' });
  await until(async () => (await queued(harness)).length === 0, { what: 'an empty outbox' });
  expect(mail.received.map(({ to }) => to).sort()).toEqual(addresses.sort());
});

test('when two instances send, then each mail is sent once', async () => {
  const mail = await server();
  const harness = await start({ SMTP_URL: mail.url });
  await harness.startAnother();
  const addresses = await Promise.all(Array.from({ length: 15 }, () => register(harness)));
  await until(async () => (await queued(harness)).length === 0, { what: 'an empty outbox' });
  expect(mail.received.map(({ to }) => to).sort()).toEqual(addresses.sort());
});

test('when the server refuses a mailbox for good, then the others get their mail and nothing is tried again', async () => {
  const mail = await server();
  const harness = await start({ SMTP_URL: mail.url });
  mail.refuses = (address) => address.startsWith('gone');
  await register(harness, `gone-${unique('p')}@people.test`);
  const email = await register(harness);
  await mail.mailTo(email);
  await until(async () => (await queued(harness)).length === 0, { what: 'an empty outbox' });
  expect(mail.received).toHaveLength(1);
});

test('when names try to be headers or links, then the mail has neither', async () => {
  const mail = await server();
  const harness = await start({ SMTP_URL: mail.url });
  const email = await register(harness, undefined, 'Bcc: x@evil.test, <b>Ada</b>');
  const { head, text } = await mail.mailTo(email);
  expect(head).toMatch(/^Content-Type: text\/plain/m);
  expect(head).not.toMatch(/evil/);
  expect(head).toMatch(/^Auto-Submitted: auto-generated\r?$/m);
  expect(head.match(/^To: .*$/gm)).toHaveLength(1);
  expect(text.match(/https?:\/\//g)).toHaveLength(1);
});

test('when a mail waits, then its token is sealed', async () => {
  const harness = await start({ SMTP_URL: 'smtp://127.0.0.1:9' });
  await register(harness);
  const [row] = await until(async () => (await queued(harness)).length > 0 && queued(harness));
  expect(row?.token.length).toBe(64 + 28);
  expect(row?.token.toString()).not.toMatch(/^[\w-]{64}$/);
});

test('when there is no mail server, then mails become files that only their owner reads', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'accessops-mail-'));
  open.push({ close: () => rm(directory, { recursive: true }) });
  const harness = await start({ MAIL_DIRECTORY: directory });
  const { admin } = await newTenant(harness);
  const name = await until(async () => (await readdir(directory)).find((file) => file.includes(admin.email)));
  const text = await readFile(join(directory, name), 'utf8');
  expect(text).toMatch(new RegExp(`^To: ${admin.email}$`, 'm'));
  const token = /#token=([\w-]{64})$/m.exec(text)?.[1] ?? '';
  await harness.client.verifyEmail({ token }, await anonymously());
});

test('when neither a mail server nor a folder is named, then the service does not start', async () => {
  await expect(start({ MAIL_DIRECTORY: undefined as unknown as string })).rejects.toThrow('SMTP_URL');
  await expect(start({ SMTP_URL: 'http://mail.test' })).rejects.toThrow('SMTP_URL');
  await expect(start({ MAIL_FROM: 'a@b.test\r\nBcc: c@d.test' })).rejects.toThrow('MAIL_FROM');
});
