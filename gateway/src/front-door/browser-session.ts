import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '@accessops/errors';
import { parse, serialize } from 'hono/utils/cookie';
import { CompactEncrypt, compactDecrypt } from 'jose';

/**
 * Sessions of browsers: the refresh token is kept by the browser where no script can read it, and the access token by the page. So
 * nothing but these routes goes by a cookie, and only they have to be guarded against forged requests of other sites.
 */
export interface BrowserSessions {
  /** Refuses what a page of ours has not sent itself. Errors: CSRF_REFUSED. */
  requireOwnPage(headers: IncomingHttpHeaders): void;
  /** The `Set-Cookie` that keeps a refresh token for so many seconds. */
  keep(refreshToken: string, seconds: number): Promise<string>;
  /** The refresh token that the browser has kept. Errors: INVALID_REFRESH_TOKEN. */
  refreshTokenOf(headers: IncomingHttpHeaders): Promise<string>;
  /** The `Set-Cookie` that makes a browser forget. */
  readonly forget: string;
}

// With `__Host-` a browser takes it over HTTPS only, from this very host, for no other.
const cookieName = '__Host-accessops';
const csrfHeader = 'x-csrf-protection';
const algorithms = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] };

const cookie = (value: string, maxAge: number): string =>
  serialize(cookieName, value, { httpOnly: true, secure: true, sameSite: 'Strict', path: '/', maxAge });

export interface BrowserSessionOptions {
  /** 32 bytes that seal what browsers keep: the cookie is of no use anywhere else. */
  key: Uint8Array;
  /** Where pages of ours come from, besides the gateway's own origin. */
  origins: readonly string[];
}

/** Sessions of browsers whose pages come from certain origins. */
export const createBrowserSessions = ({ key, origins }: BrowserSessionOptions): BrowserSessions => ({
  requireOwnPage: (headers) => {
    // No other site can make a browser send this header without asking first, and is told no then.
    if (!headers[csrfHeader]) throw new AppError('CSRF_REFUSED', 'The header X-CSRF-Protection is missing');
    const { origin } = headers;
    const site = headers['sec-fetch-site'];
    if (site === 'same-origin') return;
    // Programs that are no browsers send neither.
    if (origin === undefined && (site === undefined || site === 'none')) return;
    if (origin === undefined || !origins.includes(origin)) throw new AppError('CSRF_REFUSED');
  },
  keep: async (refreshToken, seconds) =>
    cookie(
      await new CompactEncrypt(new TextEncoder().encode(refreshToken)).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).encrypt(key),
      seconds,
    ),
  refreshTokenOf: async (headers) => {
    const sealed = parse(headers.cookie ?? '', cookieName)[cookieName];
    if (!sealed) throw new AppError('INVALID_REFRESH_TOKEN', 'There is no session in this browser');
    const { plaintext } = await compactDecrypt(sealed, key, algorithms).catch((cause: unknown) => {
      throw new AppError('INVALID_REFRESH_TOKEN', undefined, { cause });
    });
    return new TextDecoder().decode(plaintext);
  },
  forget: cookie('', 0),
});
