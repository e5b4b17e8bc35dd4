import { invalidField } from '@accessops/errors';

const pattern = /^[a-z0-9](?:[a-z0-9-]{1,38}[a-z0-9])$/;

// A tenant can be named by slug or by id in one and the same place: a slug that is the id of another would be taken for it.
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

// Would read like a part of the platform in a URL, a host name or a log.
const reserved = new Set(
  `accessops admin administrator api app audit auth console docs gateway global health help host identity internal localhost login logout
   mail metrics null org platform public register root security static status support system tenant tenants undefined webhooks www`.split(
    /\s+/,
  ),
);

/** The slug of a new organisation: 3 to 40 lower case letters, digits and inner hyphens, and no UUID. Errors: INVALID_FIELDS at `/organization/slug`. */
export const parseSlug = (value: string): string => {
  const pointer = '/organization/slug';
  if (!pattern.test(value)) throw invalidField(pointer, 'must be 3 to 40 lower case letters, digits and inner hyphens');
  if (uuid.test(value)) throw invalidField(pointer, 'must not look like an id');
  if (reserved.has(value)) throw invalidField(pointer, 'is reserved');
  return value;
};
