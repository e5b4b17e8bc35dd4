import { invalidField } from '@accessops/errors';

const pattern = /^[a-z0-9](?:[a-z0-9-]{1,38}[a-z0-9])$/;

// Would read like a part of the platform in a URL, a host name or a log.
const reserved = new Set(
  `accessops admin administrator api app audit auth console docs gateway global health help host identity internal localhost login logout
   mail metrics null org platform public register root security static status support system tenant tenants undefined webhooks www`.split(
    /\s+/,
  ),
);

/** The slug of a new organisation: 3 to 40 lower case letters, digits and inner hyphens. Errors: INVALID_FIELDS at `/organization/slug`. */
export const parseSlug = (value: string): string => {
  const pointer = '/organization/slug';
  if (!pattern.test(value)) throw invalidField(pointer, 'must be 3 to 40 lower case letters, digits and inner hyphens');
  if (reserved.has(value)) throw invalidField(pointer, 'is reserved');
  return value;
};
