import { invalidField } from '@accessops/errors';

const atom = "[a-z0-9!#$%&'*+/=?^_`{|}~-]+";
const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
// RFC 5321's dot-string of a mailbox, without quoted and internationalized forms: two spellings must never be one address.
const pattern = new RegExp(`^(?=.{1,254}$)(?=[^@]{1,64}@)${atom}(?:\\.${atom})*@${label}(?:\\.${label})+$`);

/** An e-mail address in its one spelling, lower case; undefined for what is none. */
export const normalizeEmail = (value: string): string | undefined => {
  // Before lower case: the Kelvin sign would become a k.
  if (value.length > 254 || !/^[!-~]+$/.test(value)) return undefined;
  const email = value.toLowerCase();
  return pattern.test(email) ? email : undefined;
};

/** The same; throws INVALID_FIELDS at `/email`. */
export const parseEmail = (value: string): string => {
  const email = normalizeEmail(value);
  if (!email) throw invalidField('/email', 'must be an e-mail address of at most 254 characters');
  return email;
};
