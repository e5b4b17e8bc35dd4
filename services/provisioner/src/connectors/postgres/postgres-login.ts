import { z } from 'zod';

/** A login at a database. */
export const postgresLogin = z.object({
  /** postgres://user:password@host:port/database */
  URL: z.string('must be postgres://user:password@host:port/database').refine((text) => {
    const url = URL.canParse(text) && new URL(text);
    return url && /^postgres(ql)?:$/.test(url.protocol) && url.pathname.length > 1;
  }, 'must be postgres://user:password@host:port/database'),
});

export type PostgresLogin = z.infer<typeof postgresLogin>;
