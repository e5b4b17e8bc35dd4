import { z } from 'zod';

/** An environment variable holds the name in capitals, with _ for -. */
export const loginName = z
  .string()
  .max(40)
  .regex(/^[a-z](?:[a-z0-9-]*[a-z0-9])?$/, 'must be small letters, digits and -');
