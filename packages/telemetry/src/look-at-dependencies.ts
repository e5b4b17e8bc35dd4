import { setTimeout as delay } from 'node:timers/promises';
import { ConfigError } from './run-process.ts';

/**
 * Looks whether a dependency is what the process needs: answers what is wrong with it, a line each that names the variable and the remedy.
 * Throws while it does not answer: what is not there yet is not wrong.
 */
export type Look = () => Promise<string[]>;

/** What came of looking at all dependencies. */
export interface FirstLook {
  /** When one that was not there at first is found to be wrong later. */
  refused: Promise<ConfigError>;
}

// Dependencies that are up have answered long before; nobody waits longer for those that are not.
const firstLookMs = 1500;
const againMs = 1000;

const untilAnswered = async (look: Look, signal: AbortSignal): Promise<string[]> => {
  for (;;) {
    try {
      return await look();
    } catch {
      await delay(againMs, undefined, { signal, ref: false });
    }
  }
};

/** Looks at dependencies before a process begins to serve. Throws a ConfigError that lists all that is wrong. */
export const lookAtDependencies = async (looks: Look[], signal: AbortSignal): Promise<FirstLook> => {
  const found: string[] = [];
  const answers = looks.map((look) => untilAnswered(look, signal).then((lines) => found.push(...lines)));
  const all = Promise.allSettled(answers);
  const enough = new AbortController();
  await Promise.race([all, delay(firstLookMs, undefined, { signal: enough.signal }).catch(() => undefined)]);
  enough.abort();
  if (found.length > 0) throw new ConfigError(found.join('\n'));
  const refused = new Promise<ConfigError>((resolve) => {
    for (const answer of answers) {
      answer.then(
        () => found.length > 0 && resolve(new ConfigError(found.join('\n'))),
        () => undefined,
      );
    }
  });
  return { refused };
};
