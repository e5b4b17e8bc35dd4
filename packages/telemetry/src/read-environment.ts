import type { z } from 'zod';
import { ConfigError } from './run-process.ts';
import { readSecretFiles } from './secret-files.ts';

type Environment = Record<string, string | undefined>;

const missing = (name: string): string =>
  name.endsWith('_FILE')
    ? `${name}: is missing; set it to the path of the file`
    : `${name}: is missing; set it, or ${name}_FILE to the path of a file that holds it`;

/** The lines of the ConfigError that reading something throws; none when it does not. */
export const problemsOf = (read: () => unknown): string[] => {
  try {
    read();
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
};

/**
 * Reads an environment by a schema; `<NAME>_FILE` may name a file for any of it. `check` finds what no single field shows, in variables
 * that may be wrong themselves. Throws a ConfigError that lists every problem.
 */
export const readEnvironment = <T extends z.ZodObject>(
  schema: T,
  env: Environment,
  check: (given: Environment) => string[] = () => [],
): z.infer<T> => {
  const { given, unreadable } = readSecretFiles(Object.keys(schema.shape), env);
  const result = schema.safeParse(given);
  const issues = (result.error?.issues ?? []).flatMap(({ path, message }) => {
    const name = String(path[0]);
    if (unreadable.has(name)) return [];
    return given[name] === undefined ? missing(name) : `${path.join('.')}: ${message}`;
  });
  const problems = [...unreadable.values(), ...issues, ...check(given)];
  if (result.success && problems.length === 0) return result.data;
  throw new ConfigError(problems.join('\n'));
};
