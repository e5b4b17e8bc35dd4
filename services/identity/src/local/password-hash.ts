import { hash, type Options, verify } from '@node-rs/argon2';

// OWASP Password Storage Cheat Sheet: argon2id (2) with 19 MiB, two passes, one lane.
const parameters: Options = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 };

// One password can be typed as different code points (NIST SP 800-63B, 3.1.1.2).
const typed = (password: string): string => password.normalize('NFKC');

/** Hashes a password (argon2id), off the event loop. */
export const hashPassword = (password: string): Promise<string> => hash(typed(password), parameters);

const nobodysHash = hashPassword('the password of nobody');

/** Whether it is the password; without a hash it takes as long and answers no, so that time does not tell whether there is one. */
export const isPassword = async (password: string, passwordHash: string | undefined): Promise<boolean> => {
  const right = await verify(passwordHash ?? (await nobodysHash), typed(password));
  return right && passwordHash !== undefined;
};
