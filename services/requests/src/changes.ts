import { noTenant as nil } from '@accessops/db';
import type { AuditedChange } from '@accessops/events';

type Changes = NonNullable<AuditedChange['changes']>;

// Where a column holds the nil UUID there is nothing.
const shown = (value: unknown): unknown => (value === undefined || value === nil ? null : value);

/** What something new consists of, for its audit event. */
export const created = (fields: object): Changes =>
  Object.fromEntries(Object.entries(fields).map(([name, after]) => [name, { before: null, after: shown(after) }]));

/** What differs between something and its new fields, for its audit event. */
export const changed = (thing: object, fields: object): Changes =>
  Object.fromEntries(
    Object.entries(fields)
      .map(([name, after]) => [name, { before: shown((thing as Record<string, unknown>)[name]), after: shown(after) }] as const)
      .filter(([, { before, after }]) => JSON.stringify(before) !== JSON.stringify(after)),
  );
