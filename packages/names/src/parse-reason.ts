import { isLegible } from './parse-name.ts';

const [shortest, longest] = [3, 500];

/** What people are told of a reason that is none. */
export const reasonRule = `must be ${shortest} to ${longest} characters on one line, all of them visible`;

/** A reason for the audit log, without the space around it; undefined for what is none. */
export const parseReason = (given: string): string | undefined => {
  const reason = given.trim();
  const length = [...reason].length;
  return length >= shortest && length <= longest && isLegible(reason) ? reason : undefined;
};
