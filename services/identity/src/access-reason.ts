import { AppError } from '@accessops/errors';
import { isLegible } from '@accessops/names';

const [shortest, longest] = [3, 500];

/** The reason that platform support gives for a read, without the space around it. Errors: ACCESS_REASON_REQUIRED. */
export const parseAccessReason = (given: string): string => {
  const reason = given.trim();
  const length = [...reason].length;
  if (length < shortest || length > longest || !isLegible(reason)) throw new AppError('ACCESS_REASON_REQUIRED');
  return reason;
};
