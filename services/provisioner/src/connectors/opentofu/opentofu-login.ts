import { z } from 'zod';

const jsonObject = <T extends z.ZodType>(values: T) =>
  z
    .string()
    .default('{}')
    .transform((text, ctx) => {
      try {
        return z.record(z.string(), values).parse(JSON.parse(text));
      } catch {
        ctx.addIssue({ code: 'custom', message: 'must be a JSON object' });
        return z.NEVER;
      }
    });

/** A folder of modules, and what they work with. */
export const opentofuLogin = z.object({
  /** The folder that has them, each in a folder of its own. */
  MODULES: z.string('must be a folder').startsWith('/', 'must be the whole path of a folder'),
  /** Database for the state of all grants: postgres://user:password@host:port/database?sslmode=… */
  STATE_URL: z
    .string('must be postgres://user:password@host:port/database')
    .regex(/^postgres(ql)?:\/\/.+\/.+/, 'must be a postgres:// address'),
  /** `tofu`, or another program with the same commands. */
  PROGRAM: z.string().default('tofu'),
  /** JSON: variables of modules that not everybody may set or see. */
  VARIABLES: jsonObject(z.json()),
  /** JSON: what providers find in their environment. */
  ENVIRONMENT: jsonObject(z.string()),
  /** A configuration file of the program, for mirrors of providers. */
  CLI_CONFIG: z.string().startsWith('/', 'must be the whole path of a file').optional(),
});

export type OpentofuLogin = z.infer<typeof opentofuLogin>;
