import { availableParallelism } from 'node:os';
import { AppError } from '@accessops/errors';
import { hash, type Options, verify } from '@node-rs/argon2';
import pLimit from 'p-limit';

// OWASP Password Storage Cheat Sheet: argon2id (2) with 19 MiB, two passes, one lane.
const parameters: Options = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 };

// Hashing is meant to be slow. One core is left to those who are signed in: reads never wait for logins.
const inTurn = pLimit(Math.max(1, availableParallelism() - 1));
// Whoever comes after so many would have given up before it is their turn.
const mostWaiting = 200;

const takeTurn = async <T>(work: () => Promise<T>): Promise<T> => {
  if (inTurn.pendingCount >= mostWaiting) throw new AppError('DEPENDENCY_UNAVAILABLE', 'Too many people sign in at this moment');
  return inTurn(work);
};

// One password can be typed as different code points (NIST SP 800-63B, 3.1.1.2).
const typed = (password: string): string => password.normalize('NFKC');

/** Hashes a password (argon2id), off the event loop. Errors: DEPENDENCY_UNAVAILABLE when too many wait for that. */
export const hashPassword = (password: string): Promise<string> => takeTurn(() => hash(typed(password), parameters));

const nobodysHash = hashPassword('the password of nobody');

/**
 * Whether it is the password; without a hash it takes as long and answers no, so that time does not tell whether there is one.
 * Errors: DEPENDENCY_UNAVAILABLE when too many wait for that.
 */
export const isPassword = async (password: string, passwordHash: string | undefined): Promise<boolean> => {
  const against = passwordHash ?? (await nobodysHash);
  const right = await takeTurn(() => verify(against, typed(password)));
  return right && passwordHash !== undefined;
};
