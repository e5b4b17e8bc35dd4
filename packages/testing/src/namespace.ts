import { randomBytes } from 'node:crypto';

/** A namespace for events that no other suite uses. */
export const namespace = (): string => `test-${randomBytes(6).toString('hex')}`;
