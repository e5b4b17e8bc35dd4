/** Field → what it was and what it is, for the audit log. */
export type Changes = Record<string, { before?: unknown; after?: unknown }>;

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What differs between two states of the same fields; empty when nothing does. */
export const changesBetween = <T extends object>(before: T, after: T): Changes =>
  Object.fromEntries(
    Object.entries(after)
      .filter(([field, value]) => !same((before as Record<string, unknown>)[field], value))
      .map(([field, value]) => [field, { before: (before as Record<string, unknown>)[field], after: value }]),
  );

/** The changes of something new. */
export const created = (fields: object): Changes => Object.fromEntries(Object.entries(fields).map(([name, after]) => [name, { after }]));
