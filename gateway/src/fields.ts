import { z } from '@hono/zod-openapi';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether a text looks like an identifier of ours. */
export const isUuid = (text: string): boolean => uuid.test(text);

/** An identifier of ours. */
export const id = (what: string) => z.guid('must be a UUID').openapi({ description: what, example: exampleId });

/** The identifier that examples show. */
export const exampleId = '0192f0c1-5a3e-7b4d-8c6f-2a9d1e4b7c30';

/** The time that examples show. */
export const exampleTime = '2026-11-21T09:30:00.000Z';

/** A text for people, on one line or several; not blank. */
export const text = (max: number) => z.string().min(1).max(max).regex(/\S/, 'must not be blank');

/** A name that people read. */
export const name = text(200);

/** A name of a person, or one of their names. */
export const personName = text(100);

/** A name that programs use: lower case letters, digits and hyphens. */
export const key = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, 'must be lower case letters, digits and hyphens');

/** An internet domain. */
export const domain = z
  .string()
  .max(253)
  .regex(/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/, 'must be a domain name in lower case');

/** What stands behind `#token=` in a mailed link. */
export const linkToken = z.string().min(1).max(256).openapi({ description: 'From the mailed link; good for one use.' });

/** What examples show for it. */
export const exampleLinkToken = 'AZLwwVo-e02Mbyqd'.repeat(4);

export const email = z.email('must be an e-mail address').max(254);

/** Checked for strength where it is kept. */
export const password = z.string().min(1).max(1024);

/** The code that an authenticator app shows. */
export const totpCode = z
  .string()
  .regex(/^\d{6}$/, 'must be six digits')
  .openapi({ example: '287082' });

/** ISO 8601 without years and months, whose length depends on the calendar. */
export const duration = z
  .string()
  .max(64)
  .regex(
    /^P(?!$)(?:\d{1,9}W)?(?:\d{1,9}D)?(?:T(?=\d)(?:\d{1,9}H)?(?:\d{1,9}M)?(?:\d{1,9}S)?)?$/,
    'must be an ISO 8601 duration in weeks, days, hours, minutes and seconds, like PT4H',
  )
  .openapi({ example: 'PT4H' });

export const orgRole = z.enum(['admin', 'manager', 'approver', 'requester', 'auditor']);

export const teamRole = z.enum(['lead', 'member']);

/** A JSON object of any shape. */
export const jsonObject = z.record(z.string(), z.unknown());

/** A time in an answer. */
export const time = z.iso.datetime().openapi({ example: exampleTime });

const role = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9_.:-]*[A-Za-z0-9])?$/, 'must be letters, digits and _.:-');

/** Roles that a resource type offers. */
export const roleNames = z
  .array(role)
  .min(1)
  .max(100)
  .refine((all) => new Set(all).size === all.length, 'must not name a role twice');
