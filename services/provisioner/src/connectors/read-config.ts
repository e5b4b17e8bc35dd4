import type { z } from 'zod';
import { type Access, ConnectorError } from '../connector.ts';

/** The configuration of an access, as its connector wants it; a ConnectorError when it makes no sense. */
export const readConfig = <S extends z.ZodType>(schema: S, { config }: Pick<Access, 'config'>): z.infer<S> => {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ConnectorError('refused', `The configuration is wrong at ${issue?.path.join('.')}: ${issue?.message}`);
};

/** What the role of an access means at the target; a ConnectorError when the configuration does not say. */
export const meaningOf = <T>(roles: Readonly<Record<string, T>>, { role }: Pick<Access, 'role'>): T => {
  const meaning = Object.hasOwn(roles, role) ? roles[role] : undefined;
  if (meaning === undefined) {
    throw new ConnectorError('refused', `The configuration does not say what the role "${role}" means at the target`);
  }
  return meaning;
};
