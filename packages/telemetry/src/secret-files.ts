import { readFileSync } from 'node:fs';
import { ConfigError } from './run-process.ts';

type Environment = Record<string, string | undefined>;

/** An environment with what files hold, and which files could not be read, a line for each by the name of its variable. */
export interface GivenEnvironment {
  given: Environment;
  unreadable: Map<string, string>;
}

/**
 * The environment in which each of `names` that is not set has what the file holds that `<name>_FILE` names: secrets come as
 * files, and variables can be seen by everybody who may list processes.
 */
export const readSecretFiles = (names: string[], env: Environment): GivenEnvironment => {
  const unreadable = new Map<string, string>();
  const read = (name: string, path: string) => {
    try {
      return [[name, readFileSync(path, 'utf8').trim()]];
    } catch {
      unreadable.set(name, `${name}_FILE: file ${path} cannot be read`);
      return [];
    }
  };
  const fromFiles = names.flatMap((name) => {
    const path = env[`${name}_FILE`];
    return env[name] === undefined && path ? read(name, path) : [];
  });
  return { given: { ...env, ...Object.fromEntries(fromFiles) }, unreadable };
};

/** The same; throws a ConfigError that lists every unreadable file. */
export const withSecretFiles = (names: string[], env: Environment): Environment => {
  const { given, unreadable } = readSecretFiles(names, env);
  if (unreadable.size > 0) throw new ConfigError([...unreadable.values()].join('\n'));
  return given;
};
