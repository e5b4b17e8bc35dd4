import { readFileSync } from 'node:fs';
import { ConfigError } from './run-process.ts';

/**
 * The environment in which each of `names` that is not set has what the file holds that `<name>_FILE` names: secrets come as
 * files, and variables can be seen by everybody who may list processes. Throws a ConfigError that lists every unreadable file.
 */
export const withSecretFiles = (names: string[], env: Record<string, string | undefined>): Record<string, string | undefined> => {
  const problems: string[] = [];
  const read = (name: string, path: string) => {
    try {
      return [[name, readFileSync(path, 'utf8').trim()]];
    } catch {
      problems.push(`${name}_FILE: file ${path} cannot be read`);
      return [];
    }
  };
  const fromFiles = names.flatMap((name) => {
    const path = env[`${name}_FILE`];
    return env[name] === undefined && path ? read(name, path) : [];
  });
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return { ...env, ...Object.fromEntries(fromFiles) };
};
