import { createHash } from 'node:crypto';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * The id under which we know a session. The local provider's `sid` is one already; any other, such as Keycloak's 24 characters, gives a
 * UUID made of its hash (version 8 of RFC 9562).
 */
export const sessionIdOf = (sid: string): string => {
  if (uuid.test(sid)) return sid;
  const hash = createHash('sha256').update(sid).digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x80;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
};
