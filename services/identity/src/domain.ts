import { invalidField } from '@accessops/errors';

const hostName = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/;

/** An internet domain in lower case; empty for none. Errors: INVALID_FIELDS at `pointer`. */
export const parseDomain = (pointer: string, value: string): string => {
  // Before lower case: the Kelvin sign would become a k.
  const domain = /^[!-~]*$/.test(value) ? value.toLowerCase() : ' ';
  if (domain !== '' && !hostName.test(domain)) throw invalidField(pointer, 'must be a domain name');
  return domain;
};
