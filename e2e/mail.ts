import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { rememberSecret, until } from './client.ts';

/** The token in the nth mail to an address whose link leads to `page`, waiting for it: without a mail server, mails are files. */
export const mailedToken = (address: string, page: string, nth = 1): Promise<string> =>
  until(`mail ${nth} about ${page} to ${address}`, async () => {
    const folder = join(inject('dataDir'), 'mail');
    const texts = readdirSync(folder)
      .filter((name) => name.endsWith('.txt') && name.includes(` ${address} `))
      .sort()
      .map((name) => readFileSync(join(folder, name), 'utf8'));
    const token = texts.flatMap((text) => [...text.matchAll(new RegExp(`/${page}#token=([\\w-]{64})$`, 'gm'))])[nth - 1]?.[1];
    if (token) rememberSecret(token);
    return token;
  });
